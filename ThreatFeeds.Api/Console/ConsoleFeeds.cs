using System.Globalization;
using System.Text.Json.Nodes;
using ThreatFeeds.Alerts;
using ThreatFeeds.Feeds;
using ThreatFeeds.Pulling;
using ThreatFeeds.Resources;
using ThreatFeeds.Scheduling;
using ThreatFeeds.Sets;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Api.Console;

/// <summary>What the console does with feeds, in the words of the same rooms that the API asks.</summary>
internal sealed class ConsoleFeeds(FeedOverviews overviews, FeedReader reader, FeedCatalog catalog, FeedChanges changes, FeedWork work)
{
    private const int PageSize = 100;

    public FeedOverviews Overviews => overviews;

    public async Task<EditableManifest?> ManifestAsync(string name, CancellationToken cancellationToken) =>
        await catalog.FindAsync(name, cancellationToken) is { } feed
            ? new EditableManifest(FeedManifest.ToJson(feed.Row), FeedManifest.ToYaml(feed.Row), feed.Row.Generation) : null;

    public ManifestReading Parse(byte[] text)
    {
        try
        {
            JsonObject manifest = ManifestText.Read(text);
            return new ManifestReading(manifest, reader.Read(manifest).Problems);
        }
        catch (ManifestException problem)
        {
            return new ManifestReading(null, [new FeedProblem("", "FieldValueInvalid", problem.Message)]);
        }
    }

    public async Task<SaveResult> SaveAsync(JsonObject manifest, string? name, long? expectedGeneration, CancellationToken cancellationToken)
    {
        if (name is null)
        {
            return Saved(await changes.CreateAsync(manifest, cancellationToken));
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
        return Saved(await changes.ReplaceAsync(name, manifest, cancellationToken));
    }

    public async Task<ActionResult> DeleteAsync(string name, CancellationToken cancellationToken) =>
        Done(await changes.DeleteAsync(name, ResourcePrecondition.None, cancellationToken), name);

    public async Task<ActionResult> SetModeAsync(string name, bool enabled, CancellationToken cancellationToken) =>
        Done(await changes.PatchAsync(name, new JsonObject { ["spec"] = new JsonObject { ["mode"] = enabled ? "Enabled" : "Disabled" } }, cancellationToken), name);

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
                await work.Pulls.RequestAsync(stored.Feed, cancellationToken);
                return ActionResult.Done;
        }
    }

    public async Task<PreviewResult> PreviewAsync(JsonObject manifest, CancellationToken cancellationToken)
    {
        FeedReading reading = reader.Read(manifest);
        return reading.Document is { } document
            ? new PreviewResult(await work.Previewer.PreviewAsync(document.Feed, cancellationToken), [])
            : new PreviewResult(null, reading.Problems);
    }

    public Task<Page<string>> IndicatorsAsync(string name, string? query, string? after, CancellationToken cancellationToken) =>
        work.Sets.IndicatorsAsync(name, after, PageSize, cancellationToken, string.IsNullOrWhiteSpace(query) ? null : query.Trim());

    public async Task<IReadOnlyList<FeedRun>> RunsAsync(string name, CancellationToken cancellationToken) =>
        await catalog.FindAsync(name, cancellationToken) is { } feed ? (await work.Runs.ListAsync(feed.Feed, null, PageSize, cancellationToken)).Items : [];

    private static SaveResult Saved(FeedChangeResult result) => result switch
    {
        FeedChangeResult.Invalid invalid => new SaveResult(invalid.Problems, null),
        FeedChangeResult.AlreadyExists exists => new SaveResult([], $"There is a feed {exists.Name} already."),
        FeedChangeResult.Conflict conflict => new SaveResult([], conflict.Message),
        FeedChangeResult.NotFound => new SaveResult([], "The feed was deleted meanwhile."),
        FeedChangeResult.UnknownFields unknown => new SaveResult([.. unknown.Paths.Select(p => new FeedProblem(p, "FieldValueInvalid", "unknown field"))], null),
        _ => SaveResult.Done,
    };

    private static ActionResult Done(FeedChangeResult result, string name) => result switch
    {
        FeedChangeResult.NotFound => new ActionResult($"The feed {name} is no longer there."),
        _ when Saved(result) is { Saved: false } refused => new ActionResult(refused.Conflict ?? string.Join(" ", refused.Problems.Select(p => $"{p.Path}: {p.Message}"))),
        _ => ActionResult.Done,
    };
}

/// <summary>What feeds do beside being defined.</summary>
internal sealed record FeedWork(PullRequests Pulls, FeedPreviewer Previewer, SetStore Sets, RunHistory Runs);
