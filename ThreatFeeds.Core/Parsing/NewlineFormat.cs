using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>One entry a line, comments with <c>#</c>; in a feed of names also lines of a hosts file.</summary>
internal static class NewlineFormat
{
    public static async Task<ParseResult> ParseAsync(Stream body, ParseSettings settings, CancellationToken ct)
    {
        var reader = new LineReader(body);
        var to = new EntryCollector(settings);
        var traits = new BodyTraits(settings);
        while (await reader.FillAsync(ct))
        {
            if (traits.NoList(reader.Head.Span) is { } reason)
            {
                return to.Finish(reason, ct);
            }
            while (reader.TryRead(out ReadOnlySpan<byte> line))
            {
                if (reader.TooLong)
                {
                    to.Refuse([], reader.Line, "line over 1 MiB");
                    continue;
                }
                Read(line, reader.Line, to, traits);
                if (to.Overfull is { } full)
                {
                    return to.Finish(full, ct);
                }
            }
        }
        CountEnds(reader, to);
        if (to.Entries == 0)
        {
            return to.Finish(to.Cleaned(Cleaning.Comment) > 0 ? "The body holds only comments." : "The body is empty.", ct);
        }
        traits.Tell(reader.Head.Span, to);
        return to.Finish(null, ct);
    }

    internal static void CountEnds(LineReader reader, EntryCollector to)
    {
        to.Count(Cleaning.ByteOrderMark, reader.HadMark ? 1 : 0);
        to.Count(Cleaning.CarriageReturn, reader.CarriageReturns);
    }

    private static void Read(ReadOnlySpan<byte> line, long number, EntryCollector to, BodyTraits traits)
    {
        ReadOnlySpan<byte> entry = EntryCollector.TrimSpace(line);
        if (entry.IsEmpty)
        {
            to.Count(Cleaning.BlankLine);
            return;
        }
        int comment = Comment(entry);
        if (comment >= 0)
        {
            to.Count(Cleaning.Comment);
            entry = EntryCollector.TrimSpace(entry[..comment]);
            if (entry.IsEmpty)
            {
                return;
            }
        }
        else if (entry.Length != line.Length)
        {
            to.Count(Cleaning.SurroundingSpace);
        }
        traits.See(entry);
        int space = entry.IndexOfAny((byte)' ', (byte)'\t');
        if (space > 0 && IsAddress(entry[..space]) && IsHostsLine(entry[space..], to.Settings.Content))
        {
            ReadHosts(entry[space..], number, to);
            return;
        }
        to.Add(entry, number);
    }

    private static int Comment(ReadOnlySpan<byte> entry)
    {
        for (int from = 0; ;)
        {
            int at = entry[from..].IndexOf((byte)'#');
            if (at < 0)
            {
                return -1;
            }
            at += from;
            if (at == 0 || entry[at - 1] is (byte)' ' or (byte)'\t')
            {
                return at;
            }
            from = at + 1;
        }
    }

    // With its zone, as in "fe80::1%lo0 localhost".
    private static bool IsAddress(ReadOnlySpan<byte> word)
    {
        int zone = word.IndexOf((byte)'%');
        return IpValue.TryParse(zone > 0 ? word[..zone] : word, out _);
    }

    // An address, then a word that is a name or the 0.0.0.0 of sink-hole lists; "192.0.2.1 10" is a table, "192.0.2.1 - 192.0.2.9" a range.
    private static bool IsHostsLine(ReadOnlySpan<byte> rest, ContentKind content)
    {
        ReadOnlySpan<byte> word = FirstWord(ref rest);
        Span<byte> name = stackalloc byte[256];
        Cleaning cleaning = Cleaning.None;
        string? fault = NameEntry.Read(word, name, out _, ref cleaning);
        return NameEntry.IsLocal(word) || fault is null || (fault == "single label" && content == ContentKind.DomainNameSet);
    }

    private static void ReadHosts(ReadOnlySpan<byte> rest, long number, EntryCollector to)
    {
        while (true)
        {
            ReadOnlySpan<byte> word = FirstWord(ref rest);
            if (word.IsEmpty)
            {
                return;
            }
            if (NameEntry.IsLocal(word))
            {
                to.Count(Cleaning.LocalName);
            }
            else
            {
                to.Add(word, number, Cleaning.HostsLine);
            }
        }
    }

    private static ReadOnlySpan<byte> FirstWord(ref ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart(" \t"u8);
        int end = rest.IndexOfAny((byte)' ', (byte)'\t');
        ReadOnlySpan<byte> word = end < 0 ? rest : rest[..end];
        rest = rest[word.Length..];
        return word;
    }
}
