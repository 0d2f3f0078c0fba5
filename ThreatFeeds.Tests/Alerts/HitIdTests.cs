using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class HitIdTests
{
    private static readonly LogSource Source = new("s", "s", LogKind.Dns);

    [Fact]
    public void Ids_of_hits_found_one_after_the_other_stand_in_that_order()
    {
        UInt128[] ids = [.. Enumerable.Range(250, 20).SelectMany(i => new[] { HitId.Of(Source, new Position(i / 256, i % 256), "a.example").Value })];

        Assert.Equal(ids.Order(), ids);
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void Places_too_far_for_four_bytes_differ_all_the_same()
    {
        Assert.NotEqual(HitId.Of(Source, new Position(1, 7), "a.example"), HitId.Of(Source, new Position(1, 7 + (1L << 32)), "a.example"));
        Assert.NotEqual(HitId.Of(Source, new Position(1, 7), "a.example"), HitId.Of(Source, new Position(1 + (1L << 32), 7), "a.example"));
    }

    [Fact]
    public void An_id_is_what_its_column_holds()
    {
        HitId id = HitId.Of(Source, new Position(3, 7), new string('a', 2_000));

        Assert.Equal(id, HitId.Read(id.ToBytes()));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Hits_of_earlier_versions_are_known_when_their_records_are_searched_again(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        var writer = new HitWriter(world.Alerts, world.Clock);
        FoundHit[] hits = [.. Enumerable.Range(0, 30).Select(i => Hit(0x1_0000_0001L + (i % 3), i, i % 2 == 0 ? "a.example" : "b.example", world.Clock.GetUtcNow()))];
        await WriteAsync();
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            foreach (FoundHit hit in hits)
            {
                (byte[] earlier, byte[] id) = (EarlierId(hit), hit.Id().ToBytes());
                Assert.Equal(1, await db.Database.ExecuteSqlAsync($"""UPDATE hits SET "Id" = {earlier} WHERE "Id" = {id}"""));
                await db.Database.ExecuteSqlAsync($"""UPDATE alert_samples SET "HitId" = {earlier} WHERE "HitId" = {id}""");
            }
            await db.Database.ExecuteSqlAsync($"""DELETE FROM "__EFMigrationsHistory" WHERE "MigrationId" LIKE '%HitIdsByPosition'""");
            await db.Database.MigrateAsync();
        }

        Assert.Empty(await WriteAsync());

        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            Assert.Equal(
                hits.Select(h => Convert.ToHexString(h.Id().ToBytes())).Order(StringComparer.Ordinal),
                (await db.Hits.Select(h => h.Id).ToListAsync()).Select(Convert.ToHexString).Order(StringComparer.Ordinal));
            Assert.Equal(hits.Length, await db.AlertSamples.CountAsync(s => db.Hits.Any(h => h.Id == s.HitId && h.AlertId == s.AlertId)));
        }

        async Task<IReadOnlyList<FoundHit>> WriteAsync()
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync();
            IReadOnlyList<FoundHit> fresh = await writer.WriteAsync(db, hits, default);
            await transaction.CommitAsync();
            return fresh;
        }
    }

    /// <summary>The first half of SHA-256(source, position, value).</summary>
    private static byte[] EarlierId(FoundHit hit)
    {
        byte[] source = Encoding.UTF8.GetBytes(hit.Source.Id);
        byte[] value = Encoding.UTF8.GetBytes(hit.Value);
        byte[] text = new byte[source.Length + 17 + value.Length];
        source.CopyTo(text, 0);
        BinaryPrimitives.WriteInt64BigEndian(text.AsSpan(source.Length + 1), hit.Position.Segment);
        BinaryPrimitives.WriteInt64BigEndian(text.AsSpan(source.Length + 9), hit.Position.Ordinal);
        value.CopyTo(text, source.Length + 17);
        return SHA256.HashData(text)[..16];
    }

    private static FoundHit Hit(long segment, long ordinal, string name, DateTimeOffset at) => new(
        Source, new Position(segment, ordinal), at, HitField.QueryName, name, name, ["one"],
        new RecordDetails(null, new Endpoint("shop", "web-1", false, new Dictionary<string, string>(), "10.0.0.7", null, null), Endpoint.Unknown, FlowAction.None, true, null), "{}"u8.ToArray());
}
