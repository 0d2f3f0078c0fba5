using System.Text;
using ThreatFeeds.Indicators;

namespace ThreatFeeds.Parsing;

/// <summary>Names as feeds write them.</summary>
internal static class NameEntry
{
    /// <summary>
    /// Reads <c>x</c>, <c>.x</c> or <c>*.x</c> into <paramref name="to"/> (at least 255 bytes) in encoded form. Returns null and the length,
    /// or why it is no name.
    /// </summary>
    public static string? Read(ReadOnlySpan<byte> text, Span<byte> to, out int length, ref Cleaning cleaning)
    {
        length = 0;
        Cleaning done = Cleaning.None;
        int mark = text.StartsWith("*."u8) ? 2 : text is [(byte)'.', ..] ? 1 : 0;
        text = text[mark..];
        int at = 0;
        if (mark > 0)
        {
            done |= Cleaning.Wildcard;
            "*."u8.CopyTo(to);
            at = 2;
        }
        if (Ascii.IsValid(text))
        {
            if (text is [.., (byte)'.'])
            {
                text = text[..^1];
                done |= Cleaning.TrailingDot;
            }
            if (text.Length > DomainName.MaxLength)
            {
                return "too long";
            }
            Span<byte> name = to.Slice(at, text.Length);
            done |= DomainName.Lower(text, name) ? Cleaning.UpperCase : Cleaning.None;
            if (DomainName.Fault(name) is { } fault)
            {
                return fault;
            }
            length = at + text.Length;
        }
        else
        {
            if (text.Length > 4 * DomainName.MaxLength)
            {
                return "too long";
            }
            if (!DomainName.TryCanonicalize(Encoding.UTF8.GetString(text), out string name))
            {
                return "not a name";
            }
            done |= Cleaning.UnicodeName;
            length = at + Encoding.ASCII.GetBytes(name, to[at..]);
        }
        cleaning |= done;
        return null;
    }

    /// <summary>Names of the machine itself that hosts files carry; no indicators.</summary>
    public static bool IsLocal(ReadOnlySpan<byte> name) =>
        Equals(name, "localhost"u8) || Equals(name, "localhost.localdomain"u8) || Equals(name, "local"u8) || Equals(name, "broadcasthost"u8)
        || Equals(name, "0.0.0.0"u8) || (name.Length > 4 && Equals(name[..4], "ip6-"u8) && !name.Contains((byte)'.'));

    private static bool Equals(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(name, other);
}
