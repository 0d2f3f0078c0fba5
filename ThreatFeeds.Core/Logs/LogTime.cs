using System.Globalization;
using System.Text;

namespace ThreatFeeds.Logs;

/// <summary>Times as log shippers write them: RFC 3339 text, or seconds, milliseconds, microseconds or nanoseconds since 1970, as a number or as text.</summary>
public static class LogTime
{
    // Seconds stay below 1e11 until the year 5138, and milliseconds are above it since 1973; the other steps likewise.
    private const double Milliseconds = 1e11;
    private const double Microseconds = 1e14;
    private const double Nanoseconds = 1e17;
    private const int LongestText = 64;

    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        text = text.Trim(" \t"u8);
        if (text.IsEmpty || text.Length > LongestText)
        {
            return false;
        }
        if (decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out decimal number))
        {
            return TryFromEpoch(number, out time);
        }
        // A date alone, a weekday or a local form is too easily misread: only year-month-day followed by a time.
        if (text.Length < 16 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t' or (byte)' '))
        {
            return false;
        }
        Span<char> chars = stackalloc char[LongestText];
        if (!Encoding.UTF8.TryGetChars(text, chars, out int length))
        {
            return false;
        }
        return DateTimeOffset.TryParse(chars[..length], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }

    private static bool TryFromEpoch(decimal number, out DateTimeOffset time)
    {
        time = default;
        double size = Math.Abs((double)number);
        decimal ticksPerUnit = size < Milliseconds ? TimeSpan.TicksPerSecond
            : size < Microseconds ? TimeSpan.TicksPerMillisecond
            : size < Nanoseconds ? TimeSpan.TicksPerMicrosecond
            : 0.01m;
        if (size > 1e20)
        {
            return false;
        }
        decimal ticks = decimal.Round(number * ticksPerUnit) + DateTimeOffset.UnixEpoch.Ticks;
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks)
        {
            return false;
        }
        time = new DateTimeOffset((long)ticks, TimeSpan.Zero);
        return true;
    }
}
