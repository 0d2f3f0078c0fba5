using System.Globalization;
using System.Text.Json.Nodes;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Web.Data;

/// <summary>What the console does to feeds, through the same rooms that the API asks. Expected refusals are results, not exceptions.</summary>
public sealed class ConsoleFeedChanges(FeedCatalog catalog, FeedChanges changes, FeedReader reader, FeedPreviewer previewer, RunQueue runs)
{
    /// <summary>
    /// Creates the feed (<paramref name="name"/> null) or replaces it. <paramref name="expectedGeneration"/> is the generation the form
    /// was filled from: another one by now is a conflict; null does not ask.
    /// </summary>
    public async Task<SaveResult> SaveAsync(JsonObject manifest, string? name, long? expectedGeneration, CancellationToken cancellationToken)
    {
        if (name is null)
        {
            return Saved(await changes.CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, cancellationToken));
        }
        if (await catalog.FindAsync(name, cancellationToken) is not { } stored)
        {
            return new SaveResult([], $"The feed {name} was deleted meanwhile.");
        }
        if (expectedGeneration is { } expected && stored.Row.Generation != expected)
        {
            return new SaveResult([], $"The feed {name} was changed by someone else meanwhile.");
        }
        // Only statuses may have changed since the form was filled; the version just read makes a change in between a conflict.
        manifest = manifest.DeepClone().AsObject();
        manifest["metadata"]!["resourceVersion"] = stored.Row.ResourceVersion.ToString(CultureInfo.InvariantCulture);
        return Saved(await changes.ReplaceAsync(name, manifest, FeedChangeOptions.Default, Actor.Local, cancellationToken));
    }

    /// <summary>Deletes the definition and the set; alerts stay. Refused when the feed is no longer there.</summary>
    public async Task<ActionResult> DeleteAsync(string name, CancellationToken cancellationToken) =>
        Done(await changes.DeleteAsync(name, ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, cancellationToken), name);

    /// <summary>Sets spec.mode to Enabled or Disabled.</summary>
    public async Task<ActionResult> SetModeAsync(string name, bool enabled, CancellationToken cancellationToken) =>
        Done(await changes.PatchAsync(name, new JsonObject { ["spec"] = new JsonObject { ["mode"] = enabled ? "Enabled" : "Disabled" } }, FeedChangeOptions.Default, Actor.Local, cancellationToken), name);

    /// <summary>Asks for a pull now; the run shows among the feed's runs. Refused for a push feed and for a disabled one.</summary>
    public async Task<ActionResult> PullNowAsync(string name, CancellationToken cancellationToken)
    {
        switch (await catalog.FindAsync(name, cancellationToken))
        {
            case null:
                return new ActionResult($"The feed {name} is no longer there.");
            case { Feed.Spec.Pull: null }:
                return new ActionResult($"The feed {name} is pushed, not pulled.");
            case { Feed.Spec.Enabled: false }:
                return new ActionResult($"The feed {name} is disabled. Enabling it pulls at once.");
            case { } stored:
                await runs.EnqueueAsync(stored.Feed, RunTrigger.Manual, Actor.Local, cancellationToken);
                return ActionResult.Done;
        }
    }

    /// <summary>Fetches and parses what a manifest names; nothing is stored. Problems of the manifest itself are given instead of a preview.</summary>
    public async Task<PreviewResult> PreviewAsync(JsonObject manifest, CancellationToken cancellationToken)
    {
        FeedReading reading = reader.Read(manifest);
        return reading.Manifest is { } valid
            ? new PreviewResult(await previewer.PreviewAsync(valid.Feed, cancellationToken), [])
            : new PreviewResult(null, reading.Problems);
    }

    private static SaveResult Saved(FeedChangeResult result) => result switch
    {
        FeedChangeResult.Invalid invalid => new SaveResult(invalid.Problems, null),
        FeedChangeResult.AlreadyExists exists => new SaveResult([], $"There is a feed {exists.Name} already."),
        FeedChangeResult.Conflict conflict => new SaveResult([], conflict.Message),
        FeedChangeResult.NotFound => new SaveResult([], "The feed was deleted meanwhile."),
        FeedChangeResult.UnknownFields unknown => new SaveResult([.. unknown.Paths.Select(p => new FeedProblem(p, ProblemReasons.Invalid, "unknown field"))], null),
        _ => SaveResult.Done,
    };

    private static ActionResult Done(FeedChangeResult result, string name) => result switch
    {
        FeedChangeResult.NotFound => new ActionResult($"The feed {name} is no longer there."),
        _ when Saved(result) is { Saved: false } refused => new ActionResult(refused.Conflict ?? string.Join(" ", refused.Problems)),
        _ => ActionResult.Done,
    };
}
