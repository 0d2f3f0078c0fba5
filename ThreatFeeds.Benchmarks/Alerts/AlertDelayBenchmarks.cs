using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Embedded;
using ThreatFeeds.Feeds;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>
/// What an alert adds to the acknowledgement of its record: a batch with one hit, acknowledged and searched until the alert is committed, beside the same
/// batch only acknowledged. Both sync the disk.
/// </summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 3, iterationCount: 20)]
public class AlertDelayBenchmarks : IAsyncDisposable
{
    private const int Indicators = 100_000;
    private string _folder = "";
    private BenchmarkDatabase _database = null!;
    private EmbeddedLogStore _store = null!;
    private LogIngestion _ingestion = null!;
    private ForwardSearch _forward = null!;
    private LogSource _dns = null!;
    private ReadOnlySequence<byte> _batch;

    /// <summary>Records of a batch; one of them hits.</summary>
    [Params(1, 1_000)]
    public int Records { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
        _database = await BenchmarkDatabase.MakeAsync(DatabaseProvider.Sqlite);
        IContextFactory contexts = _database;
        var readers = new LogReaders([new CalicoReader()]);
        _store = new EmbeddedLogStore(new EmbeddedOptions(_folder), readers, TimeProvider.System, NullLogger<EmbeddedLogStore>.Instance);
        await _store.OpenAsync(new Dictionary<string, Position>(), default);
        _ingestion = new LogIngestion(readers, _store);
        var stored = new StoredSets(contexts, TimeProvider.System);
        await ListAsync(contexts, stored);
        var commit = new HitCommit(contexts, new HitWriter(new AlertOptions(), TimeProvider.System), TimeProvider.System, NullLogger<HitCommit>.Instance);
        _forward = new ForwardSearch(contexts, _store, new RecordDecoder(_store, readers), new Snapshots(contexts, stored), commit);
        _dns = _store.Sources.First(s => s.Kind == LogKind.Dns);
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        _batch = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, Records).Select(i =>
            $$"""{"start_time":{{now}},"end_time":{{now}},"type":"LOG","count":1,"client_name":"web-1","client_namespace":"shop","qname":"{{(i == Records / 2 ? "n7.bad.example" : $"n{i}.good.example")}}","qclass":"IN","qtype":"A","rcode":"NoError","rrsets":[]}"""))));
        await ToAlertAsync();
    }

    [GlobalCleanup]
    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public async Task ToAlertAsync()
    {
        await AcknowledgedAsync();
        await SearchAsync();
    }

    [Benchmark(Baseline = true)]
    public async Task AcknowledgedAsync() => await _ingestion.IngestAsync(LogKind.Dns, "calico", _batch, null, Actor.Local, default);

    private async Task SearchAsync()
    {
        while (await _forward.StepAsync(_dns, default) != StepResult.Idle)
        {
        }
    }

    private static async Task ListAsync(IContextFactory contexts, StoredSets stored)
    {
        var listings = new ListingChanges(contexts, TimeProvider.System);
        var resources = new ResourceStore(TimeProvider.System);
        var feeds = new FeedChanges(contexts, resources, new FeedReader(_ => null), listings, new RunQueue(contexts, new InstanceId("benchmark"), TimeProvider.System));
        var manifest = new System.Text.Json.Nodes.JsonObject
        {
            ["apiVersion"] = "projectcalico.org/v3",
            ["kind"] = "GlobalThreatFeed",
            ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "names" },
            ["spec"] = new System.Text.Json.Nodes.JsonObject { ["content"] = "DomainNameSet" },
        };
        await feeds.CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default);
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        for (int i = 0; i < Indicators; i++)
        {
            IndicatorText.TryEncode(ContentKind.DomainNameSet, $"n{i}.bad.example", out byte[] encoded);
            builder.Add(encoded);
        }
        Feed feed = (await new FeedCatalog(contexts, resources).FindAsync("names", default))!.Feed;
        await new ListedSets(contexts, stored, listings).ReplaceAsync(feed, builder.Build(), new SetSource("1", "", null, null), default);
    }
}
