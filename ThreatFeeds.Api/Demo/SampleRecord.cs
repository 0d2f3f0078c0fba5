using System.Text.Json.Nodes;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Demo;

/// <summary>One record of the made-up cluster.</summary>
/// <param name="End">When the record was flushed; records are in its order.</param>
/// <param name="Json">In Calico's layout.</param>
internal sealed record SampleRecord(LogKind Kind, DateTimeOffset End, JsonObject Json);
