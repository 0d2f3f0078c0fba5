using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Embedded;
using ThreatFeeds.Feeds;
using ThreatFeeds.Indicators;
using ThreatFeeds.Jobs;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>The rooms from feed changes to alerts on a real database and a real embedded store, moved step by step by a test.</summary>
internal sealed class SearchWorld : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly TemporaryFolder _folder = new();
    private readonly ResourceStore _resources;
    private readonly IDurableFiles _disk;
    private EmbeddedLogStore _store;
    private readonly ConcurrentDictionary<string, bool> _hidden = new(StringComparer.Ordinal);
    private InterruptedReads _sources = null!;

    private SearchWorld(TestDatabase database, IContextFactory contexts, IDurableFiles disk, ILogReader reader)
    {
        Readers = new LogReaders([reader]);
        Contexts = contexts;
        _database = database;
        _disk = disk;
        _resources = new ResourceStore(Clock);
        _store = NewStore();
        Listings = new ListingChanges(contexts, Clock);
        Stored = new StoredSets(contexts, Clock);
        Sets = new ListedSets(contexts, Stored, Listings);
        Feeds = new FeedChanges(contexts, _resources, new FeedReader(_ => null), Listings, new RunQueue(contexts, new InstanceId("test"), Clock));
        Catalog = new FeedCatalog(contexts, _resources);
        Build();
    }

    private LogReaders Readers { get; }

    public ManualClock Clock { get; } = new();
    public ListingChanges Listings { get; }
    public StoredSets Stored { get; }
    public ListedSets Sets { get; }
    public FeedChanges Feeds { get; }
    public FeedCatalog Catalog { get; }
    public AlertOptions Alerts { get; } = new() { GroupingHours = 1 };
    public IContextFactory Contexts { get; }
    public ILogStore Logs => _sources;

    /// <summary>How often somebody asked for the source's head, as each step does.</summary>
    public int HeadsRead(LogSource source) => _sources.HeadsRead(source);

    /// <summary>From now on the store does not show the source.</summary>
    public void Hide(LogSource source) => _hidden[source.Id] = true;

    public void ShowAll() => _hidden.Clear();

    /// <summary>Small, so that steps stop half-way; in force from the next restart.</summary>
    public SearchWindow ForwardWindow { get; set; } = new(3, 2);

    public SearchWindow LookBackWindow { get; set; } = new(2, 2);

    public Standstill Standstill { get; private set; } = null!;

    public LookBackTargets Targets { get; private set; } = null!;

    public SourceBook Book { get; private set; } = null!;

    /// <summary>Called while a forward or look-back step reads, with the step half done.</summary>
    public Func<Task>? DuringRead { get; set; }

    public Snapshots Snapshots { get; private set; } = null!;
    public ForwardSearch Forward { get; private set; } = null!;
    public LookBackSearch LookBack { get; private set; } = null!;
    public SearchStates States { get; private set; } = null!;
    public RetentionClock RetentionClock { get; private set; } = null!;
    public RecordRetention RecordRetention { get; private set; } = null!;
    public LogIngestion Ingestion { get; private set; } = null!;

    /// <summary>Bytes above which the store says that it is overfull; takes effect at the next restart.</summary>
    public long? StoreMaxBytes { get; set; }

    public RetentionOptions RetentionOptions { get; } = new();

    /// <param name="disk">What the log store writes to; null for the real one.</param>
    /// <param name="wrap">What the rooms get instead of the database, such as one that fails now and then; null for the real one.</param>
    /// <param name="reader">Who reads records of the format <c>calico</c>; null for the real one.</param>
    public static async Task<SearchWorld> CreateAsync(StorageProvider provider, IDurableFiles? disk = null, Func<TestDatabase, IContextFactory>? wrap = null, ILogReader? reader = null)
    {
        TestDatabase database = await TestDatabase.CreateAsync(provider);
        var world = new SearchWorld(database, wrap?.Invoke(database) ?? database.Factory, disk ?? new DurableFiles(), reader ?? new CalicoReader());
        await world._store.OpenAsync(new Dictionary<string, Position>(), default);
        return world;
    }

    /// <summary>Everything that retention deletes.</summary>
    public async Task RetainAsync() => await new RetentionJob(
        RecordRetention, new AlertRetention(Contexts, Alerts), new ListingSweep(Listings, new SetSweeper(Contexts)), RetentionClock, NullLogger<RetentionJob>.Instance).RunAsync(default);

    /// <summary>As if the sets had been written so long ago: the database's clock does not wait for a test's.</summary>
    public async Task AgeSetsAsync(TimeSpan by)
    {
        await using ThreatFeedsContext db = Contexts.Create();
        DateTime at = await db.NowAsync(default) - by;
        await db.StoredSets.ExecuteUpdateAsync(u => u.SetProperty(s => s.CreatedAt, at));
    }

    /// <summary>As after a kill: everything in memory is gone.</summary>
    public async Task RestartAsync()
    {
        await _store.DisposeAsync();
        _store = NewStore();
        Build();
        await using ThreatFeedsContext db = Contexts.Create();
        await _store.OpenAsync(await db.Progress.ToDictionaryAsync(p => p.Source, p => new Position(p.MarkSegment, p.MarkOrdinal)), default);
    }

    /// <summary>How a change of a feed is made; a test whose database fails tries again until it is.</summary>
    public Func<Func<Task>, Task> Insist { get; set; } = change => change();

    public Task DeleteAsync(string name) => Insist(() => Feeds.DeleteAsync(name, ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default));

    public Task FeedAsync(string name, string content, string mode = "Enabled", bool below = false) => Insist(() => MakeFeedAsync(name, content, mode, below));

    public Task SetAsync(string name, params string[] indicators) => Insist(() => ReplaceAsync(name, indicators));

    private async Task MakeFeedAsync(string name, string content, string mode, bool below)
    {
        var manifest = new JsonObject
        {
            ["apiVersion"] = "projectcalico.org/v3",
            ["kind"] = "GlobalThreatFeed",
            ["metadata"] = new JsonObject { ["name"] = name, ["annotations"] = new JsonObject { [FeedAnnotations.MatchSubdomains] = below ? "true" : "false" } },
            ["spec"] = new JsonObject { ["content"] = content, ["mode"] = mode },
        };
        FeedChangeResult result = await Catalog.FindAsync(name, default) is null ? await Feeds.CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default)
            : await Feeds.ReplaceAsync(name, manifest, FeedChangeOptions.Default, Actor.Local, default);
        Assert.IsType<FeedChangeResult.Ok>(result);
    }

    private async Task ReplaceAsync(string name, string[] indicators)
    {
        Feed feed = (await Catalog.FindAsync(name, default))!.Feed;
        var builder = new IndicatorSetBuilder(feed.Spec.Content);
        foreach (string indicator in indicators)
        {
            Assert.True(IndicatorText.TryEncode(feed.Spec.Content, indicator, out byte[] encoded), indicator);
            builder.Add(encoded);
        }
        await Sets.ReplaceAsync(feed, builder.Build(), new SetSource(string.Join(',', indicators), "", null, null), default);
    }

    public Task<Ingestion> DnsAsync(params string[] names) => PostAsync(LogKind.Dns, names.Select(Dns));

    /// <summary>Lines as they are.</summary>
    public Task<Ingestion> LinesAsync(LogKind kind, params string[] lines) => PostAsync(kind, lines);

    public Task<Ingestion> FlowsAsync(params string[] destinations) => PostAsync(LogKind.Flow, destinations.Select(Flow));

    /// <summary>A step of the forward search; one that waits for a snapshot goes on when that is built, as it is by the keeper of a process.</summary>
    public async Task<StepResult> ForwardAsync(LogSource source)
    {
        if (await Forward.StepAsync(source, default) is var result && result != StepResult.Waiting)
        {
            return result;
        }
        await Snapshots.RefreshAsync(default);
        return await Forward.StepAsync(source, default);
    }

    /// <summary>One step of each search of each source, until nothing is left.</summary>
    public async Task SettleAsync()
    {
        bool moved = true;
        for (int round = 0; moved; round++)
        {
            Assert.True(round < 10_000, "searching does not come to rest");
            moved = false;
            foreach (LogSource source in Logs.Sources)
            {
                moved |= await ForwardAsync(source) != StepResult.Idle;
                moved |= await LookBack.StepAsync(source, default) != StepResult.Idle;
            }
        }
    }

    /// <summary>Searches made anew, with nothing remembered.</summary>
    public void Rebuild() => Build();

    public async Task<List<HitRow>> HitsAsync()
    {
        await using ThreatFeedsContext db = Contexts.Create();
        return await db.Hits.AsNoTracking().ToListAsync();
    }

    public async Task<List<AlertRow>> AlertsAsync()
    {
        await using ThreatFeedsContext db = Contexts.Create();
        return await db.Alerts.AsNoTracking().ToListAsync();
    }

    /// <summary>The sum of alert counts is the number of hits, and each hit is in one alert that is there.</summary>
    public async Task CheckCountsAsync()
    {
        List<HitRow> hits = await HitsAsync();
        List<AlertRow> alerts = await AlertsAsync();
        Assert.Equal(hits.Count, alerts.Sum(a => a.Count));
        foreach (AlertRow alert in alerts)
        {
            List<HitRow> own = hits.FindAll(h => h.AlertId == alert.Id);
            Assert.Equal(own.Count, alert.Count);
            Assert.Equal(own.Min(h => h.Time), alert.FirstSeen);
            Assert.Equal(own.Max(h => h.Time), alert.LastSeen);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Snapshots.Dispose();
        RetentionClock.Dispose();
        await _store.DisposeAsync();
        await _database.DisposeAsync();
        _folder.Dispose();
    }

    public string Dns(string name) =>
        $$"""{"start_time":{{Seconds - 300}},"end_time":{{Seconds}},"type":"LOG","count":1,"client_ip":"10.0.0.7","client_name":"web-1","client_name_aggr":"web-*","client_namespace":"shop","qname":"{{name}}","qclass":"IN","qtype":"A","rcode":"NoError","rrsets":[]}""";

    public string Flow(string destination) =>
        $$"""{"start_time":{{Seconds - 300}},"end_time":{{Seconds}},"source_ip":"10.0.0.7","source_name":"web-1","source_name_aggr":"web-*","source_namespace":"shop","source_type":"wep","dest_ip":"{{destination}}","dest_port":443,"dest_name":"-","dest_name_aggr":"pub","dest_namespace":"-","dest_type":"net","proto":"tcp","action":"allow","reporter":"src"}""";

    private long Seconds => Clock.GetUtcNow().ToUnixTimeSeconds();

    private Task<Ingestion> PostAsync(LogKind kind, IEnumerable<string> lines) =>
        Ingestion.IngestAsync(kind, "calico", new System.Buffers.ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(string.Join('\n', lines))), null, Actor.Local, default);

    private EmbeddedLogStore NewStore() => new(new EmbeddedOptions(_folder.Path) { MaxBytes = StoreMaxBytes, SegmentBytes = StoreMaxBytes is null ? 256L << 20 : 1000 }, _disk, Readers, Clock, NullLogger<EmbeddedLogStore>.Instance);

    private void Build()
    {
        var logs = new InterruptedReads(_store, () => DuringRead, _hidden.ContainsKey);
        _sources = logs;
        var commit = new HitCommit(Contexts, new HitWriter(Alerts, Clock), Clock, NullLogger<HitCommit>.Instance);
        var decoder = new RecordDecoder(logs, Readers);
        Snapshots?.Dispose();
        Standstill = new Standstill(Clock);
        Snapshots = new Snapshots(Contexts, Stored);
        Forward = new ForwardSearch(Contexts, logs, decoder, Snapshots, commit) { Window = ForwardWindow };
        LookBack = new LookBackSearch(Contexts, logs, decoder, Targets = new LookBackTargets(Snapshots, new AddedEntries(Contexts, Stored)), commit) { Window = LookBackWindow };
        RetentionClock?.Dispose();
        RetentionClock = new RetentionClock(Contexts, _store, Clock, NullLogger<RetentionClock>.Instance);
        States = new SearchStates(Contexts, _sources, Standstill, RetentionClock, Catalog);
        Book = new SourceBook(Contexts, Clock);
        RecordRetention = new RecordRetention(Contexts, _store, RetentionOptions);
        Ingestion = new LogIngestion(Readers, _store);
    }
}
