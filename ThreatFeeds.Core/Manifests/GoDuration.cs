namespace ThreatFeeds.Manifests;

/// <summary>Durations as Go's time.ParseDuration reads them, such as <c>24h</c>, <c>1h30m</c>, <c>1.5h</c>; there is no unit of days.</summary>
public static class GoDuration
{
    /// <summary>Parses <paramref name="text"/>; <paramref name="problem"/> is Go's message without its <c>time:</c>.</summary>
    /// <param name="nanoseconds">From −2^63 to 2^63−1.</param>
    public static bool TryParse(string text, out long nanoseconds, out string? problem)
    {
        nanoseconds = 0;
        problem = Read(text, out ulong magnitude, out bool negative);
        if (problem is not null)
        {
            return false;
        }
        nanoseconds = negative ? unchecked(-(long)magnitude) : (long)magnitude;
        return true;
    }

    private static string? Read(string text, out ulong total, out bool negative)
    {
        total = 0;
        string invalid = $"invalid duration \"{text}\"";
        negative = text.StartsWith('-');
        ReadOnlySpan<char> rest = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        if (rest is "0")
        {
            return null;
        }
        if (rest.IsEmpty)
        {
            return invalid;
        }
        const ulong limit = 1UL << 63;
        while (!rest.IsEmpty)
        {
            if (rest[0] != '.' && !char.IsAsciiDigit(rest[0]))
            {
                return invalid;
            }
            if (!TakeInteger(ref rest, out ulong value, out int before))
            {
                return invalid;
            }
            (ulong fraction, double scale, int after) = TakeFraction(ref rest);
            if (before == 0 && after == 0)
            {
                return invalid;
            }
            int length = rest.IndexOfAny("." + "0123456789");
            ReadOnlySpan<char> name = length < 0 ? rest : rest[..length];
            if (name.IsEmpty)
            {
                return $"missing unit in duration \"{text}\"";
            }
            if (Unit(name) is not { } unit)
            {
                return $"unknown unit \"{name}\" in duration \"{text}\"";
            }
            rest = rest[name.Length..];
            if (value > limit / unit)
            {
                return invalid;
            }
            value *= unit;
            if (fraction > 0)
            {
                // As Go computes it, so that rounding is the same.
                value += (ulong)(fraction * (unit / scale));
                if (value > limit)
                {
                    return invalid;
                }
            }
            total += value;
            if (total > limit)
            {
                return invalid;
            }
        }
        return !negative && total > limit - 1 ? invalid : null;
    }

    private static bool TakeInteger(ref ReadOnlySpan<char> rest, out ulong value, out int digits)
    {
        value = 0;
        digits = 0;
        while (digits < rest.Length && char.IsAsciiDigit(rest[digits]))
        {
            if (value > (1UL << 63) / 10)
            {
                return false;
            }
            value = value * 10 + (ulong)(rest[digits] - '0');
            if (value > 1UL << 63)
            {
                return false;
            }
            digits++;
        }
        rest = rest[digits..];
        return true;
    }

    /// <summary>The digits after a point; those that no longer fit are read and left out.</summary>
    private static (ulong Value, double Scale, int Digits) TakeFraction(ref ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty || rest[0] != '.')
        {
            return (0, 1, 0);
        }
        rest = rest[1..];
        ulong value = 0;
        double scale = 1;
        bool full = false;
        int digits = 0;
        while (digits < rest.Length && char.IsAsciiDigit(rest[digits]))
        {
            ulong next = value * 10 + (ulong)(rest[digits] - '0');
            full = full || value > (ulong.MaxValue >> 1) / 10 || next > 1UL << 63;
            if (!full)
            {
                value = next;
                scale *= 10;
            }
            digits++;
        }
        rest = rest[digits..];
        return (value, scale, digits);
    }

    private static ulong? Unit(ReadOnlySpan<char> name) => name switch
    {
        "ns" => 1,
        "us" or "\u00b5s" or "\u03bcs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => null,
    };
}
