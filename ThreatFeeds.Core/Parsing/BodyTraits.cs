using System.Text;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>Tells a body that is plainly in another format, or lists the other content, and names the stanza that would read it.</summary>
internal sealed class BodyTraits(ParseSettings settings)
{
    // What tells formats apart stands at the beginning of a line.
    private const int SampleSize = 500, SampleBytes = 4096;

    private readonly List<byte[]> _sample = [];
    private readonly EntryReader _probe = new(settings);

    /// <summary>Shows an entry; the first five hundred are looked at.</summary>
    public void See(ReadOnlySpan<byte> entry)
    {
        if (_sample.Count < SampleSize)
        {
            _sample.Add(entry[..Math.Min(entry.Length, SampleBytes)].ToArray());
        }
    }

    /// <summary>Why the body is a web page or XML and no list; null when it is not.</summary>
    public static string? WebPage(ReadOnlySpan<byte> head)
    {
        head = head.TrimStart(" \t\r\n"u8);
        if (Begins(head, "<!doctype html"u8) || Begins(head, "<html"u8) || Begins(head, "<head"u8) || Begins(head, "<body"u8) || Begins(head, "<script"u8))
        {
            return "The body is an HTML page, not a list: check the URL, and whether the server asks for a login.";
        }
        return Begins(head, "<?xml"u8) ? "The body is an XML document, which no format reads." : null;
    }

    /// <summary>Why the body is text in UTF-16 or UTF-32, with a byte order mark or without; null when it is not.</summary>
    public static string? OtherEncoding(ReadOnlySpan<byte> head)
    {
        string? name = head switch
        {
            [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
            [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] => "UTF-16",
            _ => Zeroes(head, 1) ? "UTF-16 (little-endian)" : Zeroes(head, 0) ? "UTF-16 (big-endian)" : null,
        };
        return name is null ? null : $"The body is text in {name}, and feeds are read as UTF-8: have it published as UTF-8.";
    }

    // Every second byte of Latin text is zero then, and none of the others.
    private static bool Zeroes(ReadOnlySpan<byte> head, int parity)
    {
        head = head[..Math.Min(head.Length & ~1, 1024)];
        int zeroes = 0;
        for (int i = 0; i < head.Length; i += 2)
        {
            if (head[i + 1 - parity] == 0)
            {
                return false;
            }
            zeroes += head[i + parity] == 0 ? 1 : 0;
        }
        return zeroes > 0 && zeroes * 4 >= head.Length / 2 * 3;
    }

    /// <summary>Why the body is no list of lines at all, seen before the first of them was read.</summary>
    public string? NoList(ReadOnlySpan<byte> head) => _sample.Count > 0 ? null : OtherEncoding(head) ?? WebPage(head);

    /// <summary>Adds what was noticed to the problems of a newline-delimited body.</summary>
    public void Tell(ReadOnlySpan<byte> head, EntryCollector to)
    {
        if (OtherContent(to) is { } content)
        {
            to.Problems.Add(content);
        }
        if (to.RefusedCount * 2 > to.Entries && Format(head) is { } format)
        {
            to.Problems.Add(format);
        }
    }

    /// <summary>All or nearly all entries are of the other kind.</summary>
    public static string? OtherContent(EntryCollector to)
    {
        if (to.Skipped == 0 || to.Skipped < to.Entries - to.Entries / 10)
        {
            return null;
        }
        string share = to.Skipped == to.Entries ? $"All {to.Entries}" : $"{to.Skipped} of {to.Entries}";
        return to.Settings.Content == ContentKind.IPSet
            ? $"{share} entries are names, and this feed lists addresses; the stanza that reads them is: content: DomainNameSet"
            : $"{share} entries are addresses, and this feed lists names; the stanza that reads them is: content: IPSet";
    }

    private string? Format(ReadOnlySpan<byte> head)
    {
        head = head.TrimStart(" \t\r\n"u8);
        if (head is [(byte)'{' or (byte)'[', ..] && JsonSuggestion.Of(head, settings) is { } json)
        {
            return json;
        }
        if (Most(e => e.StartsWith("||"u8) || e.StartsWith("@@"u8) || e.StartsWith("!"u8)))
        {
            return "The body is an adblock filter list, which no format reads; publishers of such lists offer the same names as plain or hosts files.";
        }
        if (Most(e => e.StartsWith("server=/"u8) || e.StartsWith("address=/"u8) || e.StartsWith("local=/"u8)))
        {
            return "The body is a dnsmasq configuration; the stanza that reads it is: " + Stanza("/", 1, "#");
        }
        return Zone() ?? Columns();
    }

    // Configurations and zone files by which name servers block names.
    private string? Zone()
    {
        if (Most(e => e.StartsWith("local-zone:"u8) || e.StartsWith("local-data:"u8) || e.StartsWith("server:"u8)))
        {
            return "The body is an Unbound configuration" + (Most(e => e.StartsWith("local-zone: \""u8) && e.Count((byte)'"') == 2)
                ? "; the stanza that reads its zones is: " + Stanza(" ", 1, "#")
                : ", whose local-data no format reads; publishers of such lists offer the same names as plain or hosts files.");
        }
        if (Most(e => e.StartsWith("zone \""u8)))
        {
            return "The body is a BIND configuration of zones, which no format reads; publishers of such lists offer the same names as plain or hosts files.";
        }
        if (!Most(IsResourceRecord))
        {
            return null;
        }
        bool tabs = Most(e => e.IndexOfAny((byte)' ', (byte)'\t') is var at && at > 0 && e[at] == '\t');
        return "The body is a zone file (such as BIND and response policy zones have); the stanza that reads the names of its records is: "
            + Stanza(tabs ? "\\t" : " ", 0, ";");
    }

    // "bad.example CNAME .", "bad.example. 300 IN A 127.0.0.1".
    private static bool IsResourceRecord(ReadOnlySpan<byte> entry)
    {
        int words = 0;
        foreach (Range range in entry.SplitAny(" \t"u8))
        {
            ReadOnlySpan<byte> word = entry[range];
            if (word.IsEmpty)
            {
                continue;
            }
            if (words++ > 0 && (word.SequenceEqual("CNAME"u8) || word.SequenceEqual("A"u8) || word.SequenceEqual("AAAA"u8) || word.SequenceEqual("TXT"u8)))
            {
                return true;
            }
            if (words > 4)
            {
                return false;
            }
        }
        return false;
    }

    private string? Columns()
    {
        foreach ((char delimiter, string name) in new[] { ('\t', "tabs"), (';', "semicolons"), (',', "commas"), ('|', "bars") })
        {
            if (!Most(e => e.Contains((byte)delimiter)))
            {
                continue;
            }
            int[] good = new int[16];
            foreach (byte[] entry in _sample)
            {
                string[] fields = Encoding.UTF8.GetString(entry).Split(delimiter);
                for (int i = 0; i < Math.Min(fields.Length, good.Length); i++)
                {
                    string field = fields[i].Trim().Trim('"');
                    good[i] += field.Length > 0 && _probe.Read(Encoding.UTF8.GetBytes(field)).Kind == VerdictKind.Accepted ? 1 : 0;
                }
            }
            int best = Array.IndexOf(good, good.Max());
            if (good[best] * 2 >= _sample.Count)
            {
                return $"The body has columns parted by {name}; the stanza that reads column {best} is: {Stanza(delimiter == '\t' ? "\\t" : delimiter.ToString(), best, "#")}";
            }
        }
        return null;
    }

    private static string Stanza(string delimiter, int column, string comment) =>
        $"format: {{csv: {{fieldNum: {column}, columnDelimiter: \"{delimiter}\", commentDelimiter: \"{comment}\", disableRecordSizeValidation: true}}}}";

    private delegate bool Test(ReadOnlySpan<byte> entry);

    private bool Most(Test test)
    {
        int good = 0, others = 0;
        foreach (byte[] entry in _sample)
        {
            // Comments and directives of other formats say nothing about the rest.
            bool apart = entry is [(byte)';' or (byte)'$' or (byte)'@', ..] or [(byte)'/', (byte)'/', ..];
            bool fits = test(entry);
            good += fits ? 1 : 0;
            others += fits || apart ? 0 : 1;
        }
        return good > 0 && good >= others * 4;
    }

    private static bool Begins(ReadOnlySpan<byte> text, ReadOnlySpan<byte> with) =>
        text.Length >= with.Length && Ascii.EqualsIgnoreCase(text[..with.Length], with);
}
