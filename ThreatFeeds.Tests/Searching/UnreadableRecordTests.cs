using ThreatFeeds.Logs;
using ThreatFeeds.Matching;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>A reader that breaks at a record, or that is not there, stops no search.</summary>
public sealed class UnreadableRecordTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_record_at_which_its_reader_breaks_is_set_aside_and_the_others_come_forward_and_back(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, reader: new Breaking());
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("broken.example", "bad.example", "other.example", "broken.example", "later.example");
        await world.SettleAsync();
        Assert.Equal(["bad.example"], (await world.HitsAsync()).Select(h => h.Value));
        await UnwritableRecordTests.AsideAsync(world, 2);
        await world.SetAsync("one", "bad.example", "later.example");
        await world.SettleAsync();
        Assert.Equal(["bad.example", "later.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
        await UnwritableRecordTests.AsideAsync(world, 2);
        SearchState state = await world.States.GetAsync(default);
        Assert.True(state.Idle);
        Assert.All(state.SetAsideNewest, a => Assert.Contains("calico reader", a.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_reader_gave_before_it_broke_is_searched()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite, reader: new Breaking());
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "broken.example");
        await world.DnsAsync("broken.example");
        await world.SettleAsync();
        Assert.Equal(["broken.example"], (await world.HitsAsync()).Select(h => h.Value));
        await UnwritableRecordTests.AsideAsync(world, 1);
    }

    /// <summary>Reads as ever, and breaks at the end of some records.</summary>
    private sealed class Breaking : ILogReader
    {
        private readonly CalicoReader _reader = new();

        public string Format => _reader.Format;

        public LineFault Refuse(LogKind kind, ReadOnlySpan<byte> line) => _reader.Refuse(kind, line);

        public void ReadValues(LogKind kind, ReadOnlySpan<byte> line, IValueSink sink)
        {
            _reader.ReadValues(kind, line, sink);
            if (line.IndexOf("broken"u8) >= 0)
            {
                throw new InvalidOperationException("broken");
            }
        }

        public RecordDetails ReadDetails(LogKind kind, ReadOnlySpan<byte> line) => _reader.ReadDetails(kind, line);
    }

    [Fact]
    public async Task A_record_of_a_format_that_no_reader_knows_is_set_aside()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.DnsAsync("bad.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        var found = new FoundValue(await world.Logs.HeadAsync(dns, default), new ListedValue(HitField.QueryName, "bad.example", "bad.example", ["one"]));

        DecodedHits decoded = await new RecordDecoder(world.Logs, new LogReaders([])).DecodeAsync(dns, [found], [], 1000, default);

        Assert.Contains("calico", Assert.Single(decoded.Unreadable).Reason, StringComparison.Ordinal);
        Assert.Empty(decoded.Hits);
    }
}
