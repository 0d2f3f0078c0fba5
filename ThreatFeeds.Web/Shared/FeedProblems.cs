using ThreatFeeds.Manifests;

namespace ThreatFeeds.Web.Shared;

/// <summary>Problems of a manifest, given out to the fields they belong to.</summary>
public sealed class FeedProblems(IReadOnlyList<FeedProblem> all)
{
    /// <summary>Every path a field of the form claims; what no field claims is shown above the form.</summary>
    private static readonly string[] Claimed =
    [
        "metadata.name", "metadata.labels", "spec.description", "spec.content", "spec.globalNetworkSet", "spec.pull.period",
        "spec.pull.http.url", "spec.pull.http.format.json", "spec.pull.http.format.csv", "spec.pull.http.headers",
    ];

    public static FeedProblems None { get; } = new([]);

    public bool Any => all.Count > 0;

    /// <summary>Problems of a path or of anything below it.</summary>
    public IReadOnlyList<FeedProblem> At(string path) => [.. all.Where(p => IsAt(p.Path, path))];

    public IReadOnlyList<FeedProblem> Unclaimed => [.. all.Where(p => !Claimed.Any(c => IsAt(p.Path, c)))];

    private static bool IsAt(string path, string at) =>
        path.StartsWith(at, StringComparison.Ordinal) && (path.Length == at.Length || path[at.Length] is '.' or '[');
}
