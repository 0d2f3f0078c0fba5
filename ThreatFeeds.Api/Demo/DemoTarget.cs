using System.Text.Json.Nodes;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Api.Demo;

/// <summary>Takes a feed's manifest as an operator's would be taken.</summary>
internal delegate Task CreateFeed(JsonObject manifest, CancellationToken cancellationToken);

/// <summary>Takes a pushed document of names as an Elasticsearch client's would be taken.</summary>
internal delegate Task PushNames(string feed, JsonObject document, CancellationToken cancellationToken);

/// <summary>Stores records as an operator's would be stored.</summary>
internal delegate Task AppendLogs(LogBatch batch, CancellationToken cancellationToken);

/// <summary>Where the demo puts what it brings; given by whoever lists the rooms.</summary>
internal sealed record DemoTarget(CreateFeed CreateFeed, PushNames PushNames, AppendLogs AppendLogs);
