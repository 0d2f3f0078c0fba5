namespace ThreatFeeds.Embedded;

/// <summary>Tells "no room left" from other I/O errors.</summary>
internal static class DiskFull
{
    private const int NoSpaceLeft = 28;     // ENOSPC
    private const int QuotaExceeded = 122;  // EDQUOT on Linux
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    public static bool Is(IOException e) => e.HResult is NoSpaceLeft or QuotaExceeded or WindowsDiskFull or WindowsHandleDiskFull;
}
