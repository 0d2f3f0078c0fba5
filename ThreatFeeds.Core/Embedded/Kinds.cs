using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Embedded;

/// <summary>One kind of records while the store is open.</summary>
internal sealed record Kind(KindLog Log, KindWriter Writer);

/// <summary>What an open store holds.</summary>
/// <param name="Lock">Null when somebody else holds it for the store.</param>
internal sealed record Kinds(IDisposable? Lock, IReadOnlyList<Kind> All)
{
    public IReadOnlyList<LogSource> Sources { get; } = [.. All.Select(k => k.Log.Source)];

    public Kind Of(LogKind kind) => All.First(k => k.Log.Source.Kind == kind);

    public Kind? Find(string sourceId) => All.FirstOrDefault(k => k.Log.Source.Id == sourceId);
}
