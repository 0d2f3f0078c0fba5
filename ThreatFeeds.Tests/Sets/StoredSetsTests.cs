using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Sets;

public sealed class StoredSetsTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private TestDatabase _database = null!;
    private StoredSets _sets = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        _sets = new StoredSets(_database.Factory, _clock);
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_set_whose_chunks_are_gone_is_damaged_and_not_taken_for_empty()
    {
        long id = await WriteAsync("a.example", "b.example");
        Assert.NotNull(await _sets.ReadAsync(id, default));
        await using ThreatFeedsContext db = _database.Factory.Create();
        await db.SetChunks.ExecuteDeleteAsync();
        await Assert.ThrowsAsync<DamagedSetException>(() => _sets.ReadAsync(id, default));
    }

    [Fact]
    public async Task Deleting_a_set_leaves_the_others()
    {
        long one = await WriteAsync("a.example"), two = await WriteAsync("b.example");
        await _sets.DeleteAsync(one, default);
        Assert.Null(await _sets.ReadAsync(one, default));
        Assert.Equal("b.example", (await _sets.ReadAsync(two, default))!.Set.Text(0));
    }

    [Fact]
    public async Task The_same_set_by_another_body_takes_over_what_its_source_says()
    {
        long id = await WriteAsync("a.example");
        Assert.True(await _sets.TouchAsync(id, new SetSource("d2", "o2", "\"e2\"", "yesterday"), default));
        await using ThreatFeedsContext db = _database.Factory.Create();
        StoredSetRow row = await db.StoredSets.SingleAsync();
        Assert.Equal(("d2", "o2", "\"e2\"", "yesterday"), (row.Digest, row.Origin, row.ETag, row.LastModified));
        Assert.False(await _sets.TouchAsync(id + 1, new SetSource("d3", "o3", null, null), default));
    }

    [Fact]
    public async Task Pages_of_entries_that_contain_a_text_follow_each_other_whatever_its_case()
    {
        long id = await WriteAsync([.. Enumerable.Range(0, 50).Select(i => i % 3 == 0 ? $"bad{i:00}.example" : $"worse{i:00}.example")]);
        var seen = new List<string>();
        string? after = null;
        do
        {
            Page<string> page = (await _sets.PageAsync(id, "BAD", after is null ? 0 : long.Parse(after), 4, default))!;
            seen.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(Enumerable.Range(0, 50).Where(i => i % 3 == 0).Select(i => $"bad{i:00}.example"), seen);
    }

    [Fact]
    public async Task A_set_that_nothing_names_yet_is_swept_after_an_hour_and_not_before()
    {
        long id = await WriteAsync("a.example");
        var sweeper = new SetSweeper(_database.Factory);
        await using ThreatFeedsContext db = _database.Factory.Create();
        DateTime now = await db.NowAsync(default);
        await db.StoredSets.ExecuteUpdateAsync(u => u.SetProperty(s => s.CreatedAt, now.AddMinutes(-59)));
        Assert.Equal(0, await sweeper.SweepAsync(default));
        await db.StoredSets.ExecuteUpdateAsync(u => u.SetProperty(s => s.CreatedAt, now.AddMinutes(-61)));
        Assert.Equal(1, await sweeper.SweepAsync(default));
        Assert.Null(await _sets.ReadAsync(id, default));
    }

    private Task<long> WriteAsync(params string[] names)
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        foreach (string name in names)
        {
            Assert.True(IndicatorText.TryEncode(ContentKind.DomainNameSet, name, out byte[] encoded));
            builder.Add(encoded);
        }
        return _sets.WriteAsync(_sets.Date(builder.Build(), null), new SetSource("d1", "o1", "\"e1\"", null), default);
    }
}
