using System.Globalization;
using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>Counts what becomes of the entries and collects the indicators.</summary>
internal sealed class EntryCollector(ParseSettings settings)
{
    /// <summary>Refused lines that are kept as samples, and indicators that are.</summary>
    public const int MaxRefusals = 100, MaxSamples = 20;

    private const int MaxWarnings = 10;

    private readonly EntryReader _reader = new(settings);
    private readonly IndicatorSetBuilder _set = new(settings.Content, settings.MaxIndicatorBytes);
    private readonly long[] _cleaned = new long[CleaningWords.Count];
    private readonly Dictionary<string, long> _refused = new(StringComparer.Ordinal);
    private readonly List<Refusal> _refusals = [];
    private readonly List<string> _samples = [];
    private readonly SortedSet<string> _reserved = new(StringComparer.Ordinal);

    public ParseSettings Settings { get; } = settings;

    /// <summary>Entries that became indicators, repeats included.</summary>
    public long Accepted { get; private set; }

    public long Skipped { get; private set; }

    public long RefusedCount { get; private set; }

    /// <summary>Entries of all three kinds.</summary>
    public long Entries => Accepted + Skipped + RefusedCount;

    public long Cleaned(Cleaning reason) => _cleaned[int.TrailingZeroCount((int)reason)];

    /// <summary>Why reading on is of no use: there are more different indicators than may be held. Null while there are not.</summary>
    public string? Overfull => !_set.Full ? null : string.Create(CultureInfo.InvariantCulture,
        $"The body lists more different indicators than one feed may hold: its first {_set.Count:N0} take all of {Settings.MaxIndicatorBytes / (1024.0 * 1024):0.##} MiB "
        + $"({IndicatorSetBuilder.EntryOverhead} bytes each beside their text). Split it into several feeds, or raise Pulling:MaxIndicatorBytes.");

    /// <summary>What the body's kind makes the operator ought to know.</summary>
    public List<string> Problems { get; } = [];

    public IReadOnlyList<FeedColumn> Columns { get; set; } = [];

    public void Count(Cleaning reason, long times = 1) => _cleaned[int.TrailingZeroCount((int)reason)] += times;

    /// <summary>Takes one value: spaces around it go, an empty one is counted.</summary>
    public void Add(ReadOnlySpan<byte> value, long line, Cleaning also = Parsing.Cleaning.None)
    {
        ReadOnlySpan<byte> entry = TrimSpace(value);
        if (entry.IsEmpty)
        {
            Count(Parsing.Cleaning.EmptyValue);
            return;
        }
        if (entry.Length != value.Length)
        {
            also |= Parsing.Cleaning.SurroundingSpace;
        }
        Verdict verdict = _reader.Read(entry);
        switch (verdict.Kind)
        {
            case VerdictKind.Skipped:
                Skipped++;
                return;
            case VerdictKind.Refused:
                Refuse(entry, line, verdict.Reason!);
                return;
        }
        Accepted++;
        for (int left = (int)(_reader.Cleaning | also); left != 0; left &= left - 1)
        {
            _cleaned[int.TrailingZeroCount(left)]++;
        }
        if (Settings.Content == ContentKind.DomainNameSet)
        {
            Keep(_reader.Name);
            return;
        }
        Span<byte> encoded = stackalloc byte[IpPrefix.MaxEncodedLength];
        foreach (IpPrefix prefix in _reader.Prefixes)
        {
            Keep(encoded[..prefix.Encode(encoded)]);
            if (prefix.Length <= 16 && _reserved.Count < MaxWarnings && AddressEntry.IsReserved(prefix))
            {
                _reserved.Add(prefix.ToString());
            }
        }
    }

    public void Refuse(ReadOnlySpan<byte> text, long line, string reason)
    {
        RefusedCount++;
        _refused[reason] = _refused.GetValueOrDefault(reason) + 1;
        if (_refusals.Count < MaxRefusals)
        {
            _refusals.Add(new Refusal(line, VisibleText.Of(text, VisibleText.Quoted), reason));
        }
    }

    /// <summary>The result; <paramref name="unusable"/> drops everything collected.</summary>
    public ParseResult Finish(string? unusable, CancellationToken cancellationToken)
    {
        unusable ??= Overfull;
        IndicatorSet set = unusable is null ? _set.Build(cancellationToken) : IndicatorSet.Empty(Settings.Content);
        Count(Parsing.Cleaning.Repeat, unusable is null ? _set.Repeats : 0);
        foreach (string block in _reserved)
        {
            Problems.Add($"The list holds the reserved block {block}: it will hit traffic that nobody means to find.");
        }
        var cleaned = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < _cleaned.Length; i++)
        {
            if (_cleaned[i] > 0)
            {
                cleaned[CleaningWords.Of(i)] = _cleaned[i];
            }
        }
        return new ParseResult
        {
            Set = set, AcceptedEntries = Accepted, Cleaned = cleaned, Skipped = Skipped, Refused = _refused, RefusedCount = RefusedCount,
            Refusals = _refusals, Samples = _samples, Columns = Columns, Problems = Problems, Unusable = unusable,
        };
    }

    /// <summary>Without white space at both ends (ASCII and the no-break space).</summary>
    public static ReadOnlySpan<byte> TrimSpace(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \t\r\n\v\f"u8);
        while (text.StartsWith("\u00A0"u8))
        {
            text = text[2..].TrimStart(" \t"u8);
        }
        while (text.EndsWith("\u00A0"u8))
        {
            text = text[..^2].TrimEnd(" \t"u8);
        }
        return text;
    }

    private void Keep(ReadOnlySpan<byte> encoded)
    {
        if (_set.Add(encoded) && _samples.Count < MaxSamples)
        {
            _samples.Add(IndicatorText.Decode(encoded));
        }
    }
}
