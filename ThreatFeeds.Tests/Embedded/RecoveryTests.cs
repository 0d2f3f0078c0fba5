using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>What a start finds again behind damage.</summary>
public sealed class RecoveryTests
{
    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 8)]
    [InlineData(true, 12)]
    [InlineData(true, 20)]
    [InlineData(true, 28)]
    [InlineData(true, -Segment.HeaderBytes)]
    [InlineData(false, 0)]
    [InlineData(false, 8)]
    [InlineData(false, 12)]
    [InlineData(false, 20)]
    [InlineData(false, 28)]
    [InlineData(false, -Segment.HeaderBytes)]
    public async Task A_header_damaged_before_a_start_loses_its_frame_alone_and_counts_it_exactly(bool closed, int at)
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        string pad = new('x', 300);
        for (int i = 0; i < 9; i++)
        {
            await store.AddWithKeyAsync($"k{i}", $"{i}a{pad}", $"{i}b{pad}");
        }
        if (!closed)
        {
            _files.Kill();
        }
        await store.DisposeAsync();
        int length = Frame.LengthOf(new LogBatch(LogKind.Dns, "calico", [new byte[302], new byte[302]], "k0"));
        // The header of the file itself, or that of a frame.
        _files.Damage("1.seg", Segment.HeaderBytes + (at < 0 ? 0 : 4 * length) + at);
        int[] left = at < 0 ? [0, 1, 2, 3, 4, 5, 6, 7, 8] : [0, 1, 2, 3, 5, 6, 7, 8];
        for (int start = 0; start < 2; start++)
        {
            await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
            Assert.Equal(left.SelectMany(i => (string[])[$"{i}a", $"{i}b"]), (await again.LinesAsync()).Select(l => l[..2]));
            Assert.Equal(new RangeCount(2 * left.Length, 18 - (2 * left.Length)), await again.CountAsync());
            Assert.Equal(18 - (2 * left.Length), await again.LostAsync(again.Dns(), CancellationToken.None));
            Assert.Equal(new Position(1, 17), await again.HeadAsync());
            // Also what stands behind the damage is known by its key and found by its place.
            Assert.False(await again.AddWithKeyAsync("k8", $"8a{pad}", $"8b{pad}"));
            var places = new[] { new RecordPlace(again.Dns().Id, new Position(1, 9)), new RecordPlace(again.Dns().Id, new Position(1, 10)) };
            FoundRecords found = await again.FindAsync(places, long.MaxValue, CancellationToken.None);
            Assert.Equal(at < 0, found.Records.ContainsKey(places[0]));
            Assert.True(found.Records.ContainsKey(places[1]));
        }
    }
}
