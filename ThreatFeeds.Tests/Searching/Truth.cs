using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Tests.Searching;

internal sealed record TrueFeed(string Content, bool Enabled, bool Below, string[] Set);

/// <summary>A record the store acknowledged, with its one value.</summary>
internal sealed class TrueRecord
{
    public required string Source { get; init; }
    public required Position Position { get; init; }
    public required string Value { get; init; }
    public bool Kept { get; set; } = true;

    /// <summary>Listed at some time while kept, or in a snapshot that may have been in use when it arrived.</summary>
    public bool May { get; set; }
}

/// <summary>What is so, worked out without any of the code under test: by looking at every entry for every value.</summary>
internal sealed class Truth
{
    /// <summary>What was listed after each change, newest last.</summary>
    private readonly List<(long Generation, List<(string Entry, bool Below)> Listed)> _history = [(0, [])];

    public Dictionary<string, TrueFeed> Feeds { get; } = [];

    public List<TrueRecord> Records { get; } = [];

    public bool IsListedNow(TrueRecord record) => Covers(_history[^1].Listed, record.Value);

    /// <summary>Posts records and takes down where they came to stand.</summary>
    public async Task RecordsAsync(SearchWorld world, LogKind kind, string[] values, Func<Task> post)
    {
        LogSource source = world.Logs.Sources.First(s => s.Kind == kind);
        Position before = await world.Logs.HeadAsync(source, default);
        long searchedAt;
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            searchedAt = await db.Progress.Where(p => p.Source == source.Id).Select(p => p.Generation).FirstOrDefaultAsync();
        }
        await post();
        int next = 0;
        await world.Logs.ReadAsync(source, before, await world.Logs.HeadAsync(source, default), record =>
        {
            string value = values[next++];
            // A step never uses a snapshot older than the generation its source was last searched at.
            int from = Math.Max(0, _history.FindLastIndex(h => h.Generation <= searchedAt));
            Records.Add(new TrueRecord { Source = source.Id, Position = record.Position, Value = value, May = _history.Skip(from).Any(h => Covers(h.Listed, value)) });
            return true;
        }, default);
        Xunit.Assert.Equal(values.Length, next);
    }

    /// <summary>Call after each change of the feeds.</summary>
    public async Task ChangedAsync(SearchWorld world)
    {
        List<(string, bool)> listed = [.. Feeds.Values.Where(f => f.Enabled).SelectMany(f => f.Set.Select(e => (e, f.Below && f.Content == "DomainNameSet")))];
        await using ThreatFeedsContext db = world.Contexts.Create();
        _history.Add((await db.ReadAsync(Counters.Generation, default), listed));
        foreach (TrueRecord record in Records.Where(r => r.Kept))
        {
            record.May |= Covers(listed, record.Value);
        }
    }

    /// <summary>Records that went before every search had passed them.</summary>
    public long Dropped { get; private set; }

    /// <summary>Call after retention.</summary>
    /// <param name="passed">Up to where every search had come before it, by source.</param>
    public async Task ForgetAsync(SearchWorld world, Dictionary<string, Position> passed)
    {
        foreach (TrueRecord record in Records.Where(r => r.Kept))
        {
            record.Kept = await world.Logs.FindAsync(record.Source, record.Position, default) is not null;
            Dropped += !record.Kept && record.Position > passed.GetValueOrDefault(record.Source) ? 1 : 0;
        }
    }

    private static bool Covers(List<(string Entry, bool Below)> listed, string value) => listed.Exists(l => Covers(l.Entry, l.Below, value));

    private static bool Covers(string entry, bool below, string value)
    {
        if (char.IsAsciiDigit(entry[0]))
        {
            string[] parts = entry.Split('/');
            uint mask = parts.Length == 1 ? uint.MaxValue : uint.MaxValue << (32 - int.Parse(parts[1], CultureInfo.InvariantCulture));
            return char.IsAsciiDigit(value[0]) && (Bits(value) & mask) == (Bits(parts[0]) & mask);
        }
        string name = entry.StartsWith("*.", StringComparison.Ordinal) ? entry[2..] : entry;
        return value == name || ((below || entry.StartsWith("*.", StringComparison.Ordinal)) && value.EndsWith("." + name, StringComparison.Ordinal));
    }

    private static uint Bits(string address) => address.Split('.').Aggregate(0u, (bits, part) => (bits << 8) | uint.Parse(part, CultureInfo.InvariantCulture));
}
