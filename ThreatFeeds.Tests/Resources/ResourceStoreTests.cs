using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Resources;

public sealed class ResourceStoreTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private ServiceProvider _services = null!;

    public async Task InitializeAsync()
    {
        _services = new ServiceCollection().AddStorage(new StorageOptions(), _folder.Path).AddResources().BuildServiceProvider();
        await _services.GetRequiredService<IContextFactory>().MigrateAsync(CancellationToken.None);
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public async Task A_write_that_others_get_in_the_way_of_is_tried_five_times(int conflicts, bool written)
    {
        int tries = 0;
        Task<string> work = WriteConflicts.RetryAsync(_ => ++tries <= conflicts ? throw new Microsoft.Data.Sqlite.SqliteException("busy", 5) : Task.FromResult("written"), default);
        if (written)
        {
            Assert.Equal("written", await work);
        }
        else
        {
            await Assert.ThrowsAsync<Microsoft.Data.Sqlite.SqliteException>(() => work);
        }
        Assert.Equal(5, tries);
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    public void Dispose() => _folder.Dispose();

    private static ResourceKey Key(string name) => ResourceKey.Cluster(ResourceKind.GlobalNetworkSet, name);

    private static ResourceContent Content(string spec, params (string, string)[] labels) =>
        new(labels.ToDictionary(l => l.Item1, l => l.Item2), new Dictionary<string, string>(), JsonNode.Parse(spec)!.AsObject());

    private Task<ResourceResult> WriteAsync(Func<ResourceStore, ThreatFeedsContext, Task<ResourceResult>> write) =>
        WriteAsync(_services.GetRequiredService<IContextFactory>(), db => write(_services.GetRequiredService<ResourceStore>(), db));

    private static ResourceRow Row(ResourceResult result) => Assert.IsType<ResourceResult.Ok>(result).Row;

    [Fact]
    public async Task Generation_grows_with_the_spec_alone_and_resourceVersion_with_every_change()
    {
        ResourceRow created = Row(await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("""{"nets":[]}"""), default)));
        ResourceRow labelled = Row(await WriteAsync((s, db) => s.ReplaceAsync(db, Key("a"), Content("""{"nets":[]}""", ("x", "y")), ResourcePrecondition.None, default)));
        ResourceRow changed = Row(await WriteAsync((s, db) => s.ReplaceAsync(db, Key("a"), Content("""{"nets":["10.0.0.0/8"]}""", ("x", "y")), ResourcePrecondition.None, default)));
        ResourceRow status = Row(await WriteAsync((s, db) => s.UpdateStatusAsync(db, Key("a"), changed.Uid, o => { o["a"] = 1; return o; }, default)));
        Assert.Equal([1, 1, 2, 2], new[] { created, labelled, changed, status }.Select(r => r.Generation));
        Assert.True(created.ResourceVersion < labelled.ResourceVersion && labelled.ResourceVersion < changed.ResourceVersion && changed.ResourceVersion < status.ResourceVersion);
        Assert.Equal(created.Uid, status.Uid);
    }

    [Fact]
    public async Task A_replacement_that_says_the_same_changes_nothing()
    {
        ResourceRow created = Row(await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("""{"a":1,"b":2}"""), default)));
        ResourceResult same = await WriteAsync((s, db) => s.ReplaceAsync(db, Key("a"), Content("""{"b":2,"a":1}"""), ResourcePrecondition.None, default));
        Assert.False(Assert.IsType<ResourceResult.Ok>(same).Changed);
        Assert.Equal(created.ResourceVersion, Row(same).ResourceVersion);
    }

    [Fact]
    public async Task A_status_that_stays_as_it_is_makes_no_version_and_no_change_for_watchers()
    {
        ResourceRow created = Row(await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("{}"), default)));
        ResourceRow first = Row(await WriteAsync((s, db) => s.UpdateStatusAsync(db, Key("a"), created.Uid, o => { o["n"] = 1; return o; }, default)));
        ResourceResult same = await WriteAsync((s, db) => s.UpdateStatusAsync(db, Key("a"), created.Uid, o => { o["n"] = 1; return o; }, default));
        Assert.False(Assert.IsType<ResourceResult.Ok>(same).Changed);
        Assert.Equal(first.ResourceVersion, Row(same).ResourceVersion);
        await using ThreatFeedsContext db = _services.GetRequiredService<IContextFactory>().Create();
        Assert.Equal(2, await db.ResourceChanges.CountAsync());
    }

    [Fact]
    public async Task Preconditions_are_kept()
    {
        ResourceRow created = Row(await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("{}"), default)));
        string version = created.ResourceVersion.ToString(CultureInfo.InvariantCulture);
        Assert.IsType<ResourceResult.AlreadyExists>(await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("{}"), default)));
        Row(await WriteAsync((s, db) => s.ReplaceAsync(db, Key("a"), Content("""{"a":1}"""), new ResourcePrecondition(version), default)));
        Assert.IsType<ResourceResult.Conflict>(await WriteAsync((s, db) => s.ReplaceAsync(db, Key("a"), Content("""{"a":2}"""), new ResourcePrecondition(version), default)));
        Assert.IsType<ResourceResult.Conflict>(await WriteAsync((s, db) => s.DeleteAsync(db, Key("a"), new ResourcePrecondition(Uid: Guid.NewGuid()), default)));
        Assert.IsType<ResourceResult.NotFound>(await WriteAsync((s, db) => s.UpdateStatusAsync(db, Key("a"), Guid.NewGuid(), o => o, default)));
        Row(await WriteAsync((s, db) => s.DeleteAsync(db, Key("a"), new ResourcePrecondition(Uid: created.Uid), default)));
        Assert.IsType<ResourceResult.NotFound>(await WriteAsync((s, db) => s.DeleteAsync(db, Key("a"), ResourcePrecondition.None, default)));
    }

    [Fact]
    public async Task Watchers_find_every_change_in_order()
    {
        await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("{}"), default));
        await WriteAsync((s, db) => s.ReplaceAsync(db, Key("a"), Content("""{"a":1}"""), ResourcePrecondition.None, default));
        await WriteAsync((s, db) => s.DeleteAsync(db, Key("a"), ResourcePrecondition.None, default));
        await using ThreatFeedsContext db = _services.GetRequiredService<IContextFactory>().Create();
        List<ResourceChangeRow> changes = await db.ResourceChanges.OrderBy(c => c.ResourceVersion).ToListAsync();
        Assert.Equal(["ADDED", "MODIFIED", "DELETED"], changes.Select(c => c.Type));
        Assert.All(changes, c => Assert.Equal($"{c.ResourceVersion}", JsonNode.Parse(c.Document)!["metadata"]!["resourceVersion"]!.GetValue<string>()));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Values_of_a_secret_that_was_replaced_or_deleted_stand_in_no_table(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        var store = new ResourceStore(TimeProvider.System);
        var key = new ResourceKey(ResourceKind.Secret, "tigera-intrusion-detection", "globalthreatfeed-names-token");
        ResourceRow created = Row(await WriteAsync(database.Factory, db => store.CreateAsync(db, key, Content("""{"data":{"token":"Zmlyc3Q="},"stringData":{"plain":"first"}}"""), default)));
        Assert.Contains("Zmlyc3Q=", created.Spec, StringComparison.Ordinal);
        ResourceContent second = Content("""{"data":{"token":"c2Vjb25k"},"type":"Opaque"}""", ("x", "y"));
        // As kubectl does.
        second = second with { Annotations = new Dictionary<string, string> { ["kubectl.kubernetes.io/last-applied-configuration"] = """{"data":{"token":"c2Vjb25k"}}""" } };
        Row(await WriteAsync(database.Factory, db => store.ReplaceAsync(db, key, second, ResourcePrecondition.None, default)));
        Row(await WriteAsync(database.Factory, db => store.UpdateStatusAsync(db, key, null, o => { o["n"] = 1; return o; }, default)));
        string all = await TextOfAsync(database);
        Assert.Contains("c2Vjb25k", all, StringComparison.Ordinal);
        Assert.DoesNotContain("Zmlyc3Q=", all, StringComparison.Ordinal);
        Assert.DoesNotContain("\"plain\"", all, StringComparison.Ordinal);

        Row(await WriteAsync(database.Factory, db => store.DeleteAsync(db, key, ResourcePrecondition.None, default)));
        Assert.DoesNotContain("c2Vjb25k", await TextOfAsync(database), StringComparison.Ordinal);
        // Watchers still hear of it.
        await using ThreatFeedsContext db = database.Factory.Create();
        List<ResourceChangeRow> changes = await db.ResourceChanges.OrderBy(c => c.ResourceVersion).ToListAsync();
        Assert.Equal(["ADDED", "MODIFIED", "MODIFIED", "DELETED"], changes.Select(c => c.Type));
        Assert.All(changes, c => Assert.Equal(created.Uid.ToString(), JsonNode.Parse(c.Document)!["metadata"]!["uid"]!.GetValue<string>()));
        Assert.Equal("y", JsonNode.Parse(changes[^1].Document)!["metadata"]!["labels"]!["x"]!.GetValue<string>());
    }

    /// <summary>Every row of every table, as text.</summary>
    private static async Task<string> TextOfAsync(TestDatabase database)
    {
        await using ThreatFeedsContext db = database.Factory.Create();
        var text = new StringBuilder();
        await db.Database.OpenConnectionAsync();
        foreach (string table in db.Model.GetEntityTypes().Select(t => t.GetTableName()!))
        {
            await using DbCommand command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // A table of ours.
            command.CommandText = $"SELECT * FROM {table}";
#pragma warning restore CA2100
            await using DbDataReader reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                for (int i = 0; i < reader.FieldCount; i++)
                {
                    text.Append(reader.GetValue(i)).Append('\n');
                }
            }
        }
        return text.ToString();
    }

    private static async Task<ResourceResult> WriteAsync(IContextFactory contexts, Func<ThreatFeedsContext, Task<ResourceResult>> write)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync();
        ResourceResult result = await write(db);
        await transaction.CommitAsync();
        return result;
    }

    [Fact]
    public async Task Writers_at_once_lose_nothing()
    {
        await WriteAsync((s, db) => s.CreateAsync(db, Key("a"), Content("{}"), default));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() =>
            WriteAsync((s, db) => s.UpdateStatusAsync(db, Key("a"), null, o => { o["n"] = (o["n"]?.GetValue<int>() ?? 0) + 1; return o; }, default)))));
        await using ThreatFeedsContext db = _services.GetRequiredService<IContextFactory>().Create();
        ResourceRow row = (await _services.GetRequiredService<ResourceStore>().GetAsync(db, Key("a"), default))!;
        Assert.Equal(20, JsonNode.Parse(row.Status)!["n"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_write_outside_a_transaction_is_a_mistake()
    {
        await using ThreatFeedsContext db = _services.GetRequiredService<IContextFactory>().Create();
        await Assert.ThrowsAsync<InvalidOperationException>(() => _services.GetRequiredService<ResourceStore>().CreateAsync(db, Key("a"), Content("{}"), default));
    }
}
