using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Whose a folder or file is and who may write in it, which .NET does not tell.</summary>
/// <param name="Mode">The permission bits, such as 0755.</param>
internal readonly partial record struct FolderAccess(uint Owner, uint Group, UnixFileMode Mode)
{
    private const int FileTypes = 0xf000;
    private const int RegularFile = 0x8000;
    private const int DoNotFollow = 0x100;
    private const int OfHandle = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int WorkingFolder = -100;

    /// <summary>Of an existing folder, links followed.</summary>
    [SupportedOSPlatform("linux")]
    public static FolderAccess Of(string directory)
    {
        Status status = Read(WorkingFolder, directory, 0);
        return new FolderAccess(status.Owner, status.Group, (UnixFileMode)(status.Mode & 0xfff));
    }

    /// <summary>The same of what stands there itself: of a link, not of what it leads to.</summary>
    [SupportedOSPlatform("linux")]
    public static FolderAccess OfItself(string path)
    {
        Status status = Read(WorkingFolder, path, DoNotFollow);
        return new FolderAccess(status.Owner, status.Group, (UnixFileMode)(status.Mode & 0xfff)) { IsFile = (status.Mode & FileTypes) == RegularFile, Names = status.Links };
    }

    /// <summary>The same of a file that is open, whatever stands at its path by now.</summary>
    [SupportedOSPlatform("linux")]
    public static FolderAccess Of(SafeFileHandle file)
    {
        Status status = Read((int)file.DangerousGetHandle(), "", OfHandle);
        return new FolderAccess(status.Owner, status.Group, (UnixFileMode)(status.Mode & 0xfff)) { IsFile = (status.Mode & FileTypes) == RegularFile, Names = status.Links };
    }

    /// <summary>A file, not a folder, a link or a device.</summary>
    public bool IsFile { get; private init; }

    /// <summary>By how many names it can be reached.</summary>
    public uint Names { get; private init; }

    /// <summary>Why the file cannot be one that this process made; null when it can.</summary>
    public string? ProblemOfFile(UnixUser user) =>
        !IsFile ? "it is no file of its own but a link or something else"
        : Owner != user.Id ? $"it belongs to the user with the id {Owner}, and this process is the user {user.Id}"
        : Names > 1 ? "it has other names beside this one (hard links)"
        : null;

    /// <summary>Why the folder may not be used by this process; null when it may.</summary>
    /// <param name="isFree">Whether there is nothing in it but what ThreatFeeds left there.</param>
    public string? Problem(UnixUser user, Func<bool> isFree)
    {
        if (Mode.HasFlag(UnixFileMode.OtherWrite))
        {
            return "everybody may write in it; name a folder of its own";
        }
        if (Owner == user.Id)
        {
            return null;
        }
        string whose = $"it belongs to the user with the id {Owner}, and this process is the user {user.Id}";
        if (!Mode.HasFlag(UnixFileMode.GroupWrite) || !user.Groups.Contains(Group))
        {
            return whose + "; name a folder of its own, or change its owner";
        }
        return isFree() ? null : whose + ", whose group may write in it, but there is something else in it; name an empty folder";
    }

    /// <summary>Whatever this process makes from now on, its owner alone may read, wherever the folder stands.</summary>
    [UnsupportedOSPlatform("windows")]
    public static void KeepNewFilesPrivate() => _ = SetMask(0x3f);

    private static Status Read(int folder, string path, int flags) =>
        StatX(folder, [.. System.Text.Encoding.UTF8.GetBytes(path), 0], flags, BasicStats, out Status status) == 0
            ? status
            : throw new IOException($"Its owner cannot be read (error {Marshal.GetLastPInvokeError()}).");

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int StatX(int folder, byte[] path, int flags, uint mask, out Status status);

    [DllImport("libc", EntryPoint = "umask")]
    private static extern uint SetMask(uint mask);

    /// <summary>The kernel's struct statx, as far as it is used; the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(16)]
        public uint Links;

        [FieldOffset(20)]
        public uint Owner;

        [FieldOffset(24)]
        public uint Group;

        [FieldOffset(28)]
        public ushort Mode;
    }
}

/// <summary>Who this process is to the system.</summary>
internal sealed record UnixUser(uint Id, IReadOnlyCollection<uint> Groups)
{
    [SupportedOSPlatform("linux")]
    public static UnixUser Current()
    {
        uint[] groups = new uint[Math.Max(0, GetGroups(0, null))];
        int count = GetGroups(groups.Length, groups);
        return new UnixUser(GetId(), [GetGroup(), .. groups.Take(Math.Max(0, count))]);
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetId();

    [DllImport("libc", EntryPoint = "getegid")]
    private static extern uint GetGroup();

    [DllImport("libc", EntryPoint = "getgroups")]
    private static extern int GetGroups(int size, [Out] uint[]? groups);
}
