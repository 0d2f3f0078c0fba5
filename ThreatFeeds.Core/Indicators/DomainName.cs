using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ThreatFeeds.Indicators;

/// <summary>Canonical form of domain names: lower-case A-labels without trailing dot.</summary>
public static class DomainName
{
    // What UTS 46 maps to a full stop, and the full stop.
    private static readonly char[] s_dots = ['.', '\u3002', '\uFF0E', '\uFF61'];

    /// <summary>Octets of the longest name.</summary>
    public const int MaxLength = 253;

    private static readonly IdnMapping Strict = new() { UseStd3AsciiRules = true, AllowUnassigned = false };

    // STD3 rules forbid the underscore that real names have; every other ASCII character is judged by Fault afterwards.
    private static readonly IdnMapping WithUnderscore = new() { UseStd3AsciiRules = false, AllowUnassigned = false };

    /// <summary>
    /// Canonical form of a name found in a record: A-labels, lower case, no trailing dot. A name that has no canonical form is
    /// lower-cased (ASCII) as bytes, without its trailing dot, so that it still compares. Returns the length written; <paramref name="destination"/>
    /// must hold at least <c>max(256, value.Length)</c> bytes.
    /// </summary>
    public static int Canonicalize(ReadOnlySpan<byte> value, Span<byte> destination)
    {
        if (value is [.., (byte)'.'])
        {
            value = value[..^1];
        }
        if (!Ascii.IsValid(value) && value.Length <= 4 * MaxLength && Utf8.IsValid(value) && TryToAscii(Encoding.UTF8.GetString(value), out string name))
        {
            return Encoding.ASCII.GetBytes(name, destination);
        }
        Lower(value, destination);
        return value.Length;
    }

    /// <summary>
    /// Canonical form of a name that a feed lists. ASCII labels are taken as they are but for case, one trailing dot goes; other labels go by UTS 46
    /// non-transitional. False when it is no name: fewer than two labels, a label empty, too long, with a hyphen at an edge or a character other
    /// than letters, digits, hyphen and underscore, a last label of digits, or more than 253 octets.
    /// </summary>
    public static bool TryCanonicalize(ReadOnlySpan<char> text, out string name)
    {
        name = "";
        if (text is [.., '.'])
        {
            text = text[..^1];
        }
        if (text.Length is 0 or > 4 * MaxLength)
        {
            return false;
        }
        if (!Ascii.IsValid(text))
        {
            return TryToAscii(text.ToString(), out name);
        }
        Span<byte> bytes = stackalloc byte[4 * MaxLength];
        Encoding.ASCII.GetBytes(text, bytes);
        bytes = bytes[..text.Length];
        Lower(bytes, bytes);
        if (!IsCanonical(bytes))
        {
            return false;
        }
        name = Encoding.ASCII.GetString(bytes);
        return true;
    }

    /// <summary>True for a name in canonical form.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> name) => Fault(name) is null;

    /// <summary>Why lower-case ASCII bytes without trailing dot are no name; null when they are one.</summary>
    internal static string? Fault(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxLength)
        {
            return "too long";
        }
        int labels = 0, start = 0;
        bool digits = true;
        for (int i = 0; i <= name.Length; i++)
        {
            byte b = i < name.Length ? name[i] : (byte)'.';
            if (b != '.')
            {
                bool digit = b is >= (byte)'0' and <= (byte)'9';
                digits &= digit;
                if (!digit && b is not ((>= (byte)'a' and <= (byte)'z') or (byte)'-' or (byte)'_'))
                {
                    return "not a name";
                }
                continue;
            }
            int length = i - start;
            if (length is 0 or > 63)
            {
                return length == 0 ? "empty label" : "label too long";
            }
            if (name[start] == '-' || name[i - 1] == '-')
            {
                return "hyphen at an edge";
            }
            labels++;
            start = i + 1;
            if (i < name.Length)
            {
                digits = true;
            }
        }
        return digits ? "last label all digits" : labels < 2 ? "single label" : null;
    }

    /// <summary>ASCII letters to lower case; the spans may be the same. True when there was a letter to change.</summary>
    internal static bool Lower(ReadOnlySpan<byte> from, Span<byte> to)
    {
        bool changed = false;
        for (int i = 0; i < from.Length; i++)
        {
            byte b = from[i];
            bool upper = (uint)(b - 'A') <= 'Z' - 'A';
            changed |= upper;
            to[i] = upper ? (byte)(b | 0x20) : b;
        }
        return changed;
    }

    // Label by label: one of ASCII stays as it is, also beside others and though UTS 46 would refuse it (r3---sn, odd xn--), so that a name means the
    // same however its other labels are written.
    private static bool TryToAscii(string text, out string name)
    {
        name = "";
        string[] labels = text.Split(s_dots);
        for (int i = 0; i < labels.Length; i++)
        {
            if (Ascii.IsValid(labels[i]))
            {
                labels[i] = labels[i].ToLowerInvariant();
            }
            else if (LabelToAscii(labels[i]) is { } label)
            {
                labels[i] = label;
            }
            else
            {
                return false;
            }
        }
        string joined = string.Join('.', labels[^1].Length == 0 ? labels[..^1] : labels);
        if (joined.Length > MaxLength || !IsCanonical(Encoding.ASCII.GetBytes(joined)))
        {
            return false;
        }
        name = joined;
        return true;
    }

    // ICU's ToASCII as .NET calls it is transitional (it makes "fass" of "faß"), its ToUnicode is not: map with that, then encode what is left ourselves.
    private static string? LabelToAscii(string label)
    {
        string mapped;
        try
        {
            mapped = (label.Contains('_', StringComparison.Ordinal) ? WithUnderscore : Strict).GetUnicode(label);
        }
        catch (ArgumentException)
        {
            return null;
        }
        if (mapped.Equals(label, StringComparison.OrdinalIgnoreCase))
        {
            mapped = mapped.ToLowerInvariant(); // .NET hands back its input when the answer differs by case only.
        }
        return Ascii.IsValid(mapped) ? mapped
            : Punycode.Encode(mapped) is { } encoded ? "xn--" + encoded
            : null;
    }
}
