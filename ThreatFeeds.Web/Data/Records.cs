using System.Text.Json.Nodes;
using ThreatFeeds.Alerts;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;

namespace ThreatFeeds.Web.Data;

/// <summary>What changed, for pages that show it.</summary>
[Flags]
public enum ConsoleChange
{
    None = 0,

    /// <summary>Definitions, sets, runs or conditions of feeds.</summary>
    Feeds = 1,

    /// <summary>Alerts or their counts.</summary>
    Alerts = 2,

    /// <summary>Marks, look-backs, or the size of what is not yet searched.</summary>
    Searches = 4,
}

/// <summary>A stored manifest that is edited.</summary>
/// <param name="Manifest">The caller's own copy; null when it cannot be edited here.</param>
/// <param name="Generation">metadata.generation, to notice a change made meanwhile.</param>
/// <param name="Refusal">Why it cannot be edited here, in words.</param>
/// <param name="Held">Its room in memory, to be given back when it is edited no longer.</param>
public sealed record EditableManifest(JsonObject? Manifest, long Generation, string? Refusal, IDisposable? Held);

/// <summary>What a pasted text came to.</summary>
/// <param name="Manifest">Null when the text is not YAML or JSON, or not a GlobalThreatFeed.</param>
/// <param name="Problems">A path is empty when the text as a whole is meant.</param>
/// <param name="Held">The manifest's room in memory, to be given back when nobody needs it any more.</param>
public sealed record ManifestReading(JsonObject? Manifest, IReadOnlyList<FeedProblem> Problems, IDisposable? Held);

/// <summary>What saving came to: saved, or problems at their paths, or a conflict in words.</summary>
/// <param name="Problems">Empty when saved.</param>
/// <param name="Conflict">Why it was not saved although it is valid: the name is taken, changed meanwhile, deleted meanwhile.</param>
public sealed record SaveResult(IReadOnlyList<FeedProblem> Problems, string? Conflict)
{
    public static SaveResult Done { get; } = new([], null);

    public bool Saved => Problems.Count == 0 && Conflict is null;
}

/// <summary>What an action came to.</summary>
/// <param name="Refusal">Why nothing was done, as a sentence; null when it was.</param>
public sealed record ActionResult(string? Refusal)
{
    public static ActionResult Done { get; } = new((string?)null);
}

/// <summary>A preview, or why there is none.</summary>
/// <param name="Preview">Null when the manifest has problems that forbid a try.</param>
public sealed record PreviewResult(FeedPreview? Preview, IReadOnlyList<FeedProblem> Problems);

/// <summary>One feed that lists a value.</summary>
/// <param name="Indicator">The feed's most specific indicator that covers the value.</param>
/// <param name="Since">When this feed first listed it; null when not known.</param>
public sealed record Listing(string Feed, string Indicator, DateTimeOffset? Since);

/// <summary>The answer to "Is it listed?".</summary>
/// <param name="Value">The value in canonical form.</param>
/// <param name="Problem">Why it is neither a name nor an address; null when it is one.</param>
/// <param name="Listings">Empty when no feed lists it.</param>
/// <param name="Alerts">The latest alerts whose indicator covers the value, at most 20, newest first.</param>
/// <param name="Damaged">Why feeds could not be asked, and what to do, in sentences.</param>
public sealed record LookUpResult(string Value, string? Problem, IReadOnlyList<Listing> Listings, IReadOnlyList<AlertView> Alerts, IReadOnlyList<string> Damaged);

/// <summary>Open alerts by severity.</summary>
public sealed record AlertCounts(long Critical, long High, long Medium, long Low)
{
    public long Total => Critical + High + Medium + Low;
}
