using System.Diagnostics;
using System.Runtime.Versioning;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.EndToEnd;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>Whose folder the data may be kept in, and what is done to it.</summary>
[SupportedOSPlatform("linux")]
public sealed class DataFolderTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_that_is_made_is_its_owners_alone()
    {
        string data = Path.Combine(_folder.Path, "a", "b");
        DataFolder.Prepare(data);
        Assert.Empty(Directory.GetFiles(data));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(data));
    }

    [Fact]
    public void A_folder_that_was_there_keeps_its_mode_also_behind_a_link()
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder.Path, "data")).FullName;
        const UnixFileMode mode = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        File.SetUnixFileMode(data, mode);
        string link = Path.Combine(_folder.Path, "link");
        File.CreateSymbolicLink(link, data);
        DataFolder.Prepare(data);
        DataFolder.Prepare(link);
        Assert.Equal(mode, File.GetUnixFileMode(data));
    }

    [Fact]
    public void A_folder_that_everybody_may_write_in_is_refused_and_left_as_it_is()
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder.Path, "data")).FullName;
        const UnixFileMode mode = OwnerOnly | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute | UnixFileMode.StickyBit;
        File.SetUnixFileMode(data, mode);
        string told = Assert.Throws<SettingsException>(() => DataFolder.Prepare(data)).Message;
        Assert.Equal($"Data:Directory '{data}' cannot be used: everybody may write in it; name a folder of its own.", told);
        Assert.Equal(mode, File.GetUnixFileMode(data));
        Assert.Empty(Directory.EnumerateFileSystemEntries(data));
    }

    [Theory]
    [InlineData(7u, 9u, "770", true, null)]
    [InlineData(7u, 0u, "755", false, null)]
    [InlineData(7u, 0u, "757", true, "everybody may write in it")]
    [InlineData(0u, 9u, "2775", true, null)]
    [InlineData(0u, 9u, "2775", false, "there is something else in it")]
    [InlineData(0u, 8u, "2775", true, "belongs to the user with the id 0, and this process is the user 7")]
    [InlineData(0u, 9u, "2755", true, "belongs to the user with the id 0")]
    [InlineData(0u, 9u, "1777", true, "everybody may write in it")]
    public void Another_owners_folder_is_taken_only_when_our_group_may_write_and_it_is_free(uint owner, uint group, string mode, bool free, string? problem)
    {
        var folder = new FolderAccess(owner, group, (UnixFileMode)Convert.ToInt32(mode, 8));
        string? told = folder.Problem(new UnixUser(7, [3, 9]), () => free);
        if (problem is null)
        {
            Assert.Null(told);
        }
        else
        {
            Assert.Contains(problem, told, StringComparison.Ordinal);
        }
    }

    [RootFact]
    public async Task Another_owners_folder_ends_the_process_with_2_and_is_left_as_it_is()
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder.Path, "theirs")).FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "file"), "theirs");
        await RunAsync("chown", "nobody", data);
        using LiveProcess process = LiveProcess.Start("--data", data);
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains($"threatfeeds: Data:Directory '{data}' cannot be used: it belongs to the user with the id", process.Output, StringComparison.Ordinal);
        Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(data).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("link")]
    [InlineData("dangling link")]
    [InlineData("hard link")]
    [InlineData("folder")]
    [InlineData("owner")]
    public async Task A_lock_that_somebody_else_may_have_put_there_is_not_opened(string what)
    {
        string data = Path.Combine(_folder.Path, "data");
        string elsewhere = Path.Combine(_folder.Path, "elsewhere");
        string held = Path.Combine(data, "logs", "lock");
        Directory.CreateDirectory(Path.GetDirectoryName(held)!);
        if (what != "dangling link")
        {
            await File.WriteAllTextAsync(elsewhere, "mine");
        }
        switch (what)
        {
            case "link" or "dangling link":
                File.CreateSymbolicLink(held, elsewhere);
                break;
            case "hard link":
                await RunAsync("ln", elsewhere, held);
                break;
            case "folder":
                Directory.CreateDirectory(held);
                break;
            case "owner":
                if (!Environment.IsPrivilegedProcess)
                {
                    return;
                }
                await File.WriteAllTextAsync(held, "");
                await RunAsync("chown", "nobody", held);
                break;
        }
        using var folder = new DataFolder(new Settings(new(), new() { Directory = data }, new(), new(), new(), new(), new(), new(), new()));
        string told = Assert.Throws<SettingsException>(folder.Hold).Message;
        Assert.Contains($"The lock '{held}' cannot be used: ", told, StringComparison.Ordinal);
        Assert.Equal(what != "dangling link", File.Exists(elsewhere));
    }

    [Fact]
    public void A_lock_of_our_own_is_held_and_made_where_there_is_none()
    {
        var settings = new Settings(new(), new() { Directory = Path.Combine(_folder.Path, "data") }, new(), new(), new(), new(), new(), new(), new());
        for (int start = 0; start < 2; start++)
        {
            using var folder = new DataFolder(settings);
            folder.Hold();
            using var second = new DataFolder(settings);
            Assert.Contains("Another process uses", Assert.Throws<SettingsException>(second.Hold).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Where_the_group_may_write_nothing_but_our_own_is_used()
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder.Path, "data")).FullName;
        File.SetUnixFileMode(data, OwnerOnly | UnixFileMode.GroupWrite);
        DataFolder.Prepare(data);
        Directory.CreateDirectory(Path.Combine(data, "logs"));
        DataFolder.Prepare(data);
        File.CreateSymbolicLink(Path.Combine(data, "threatfeeds.db"), Path.Combine(_folder.Path, "elsewhere"));
        string told = Assert.Throws<SettingsException>(() => DataFolder.Prepare(data)).Message;
        Assert.Contains("its group may write in it", told, StringComparison.Ordinal);
        Assert.Contains("threatfeeds.db' in it is a link", told, StringComparison.Ordinal);
        File.SetUnixFileMode(data, OwnerOnly);
        DataFolder.Prepare(data);
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        using Process process = Process.Start(command, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}

/// <summary>Owners can be changed by root only, as whom continuous integration runs; elsewhere skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("CI") == "true" ? null : "Only root can change owners.";
}
