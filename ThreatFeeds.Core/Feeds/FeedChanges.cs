using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Actors;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Feeds;

/// <summary>
/// What operators do to feeds: the object, what is listed, and the pull that the change asks for, in one transaction, so that no search sees one without
/// the other and nothing claims to be at rest in between.
/// </summary>
public sealed class FeedChanges(IContextFactory contexts, ResourceStore store, FeedReader reader, ListingChanges listings, RunQueue runs)
{
    /// <summary>Raised with the feed's name after a change is kept: created, replaced, deleted.</summary>
    public event Action<string>? FeedChanged;

    public Task<FeedChangeResult> CreateAsync(JsonObject manifest, FeedChangeOptions options, Actor actor, CancellationToken cancellationToken)
    {
        FeedReading reading = reader.Read(manifest);
        return Refusal(reading, options) is { } refusal
            ? Task.FromResult(refusal)
            : ChangeAsync(reading.Name, options, async (db, ct) => await ForeignAsync(db, reading, ct)
                ?? await WrittenAsync(db, reading, await store.CreateAsync(db, Key(reading.Name), Content(reading.Manifest!), ct), actor, ct), cancellationToken);
    }

    /// <summary>Replaces labels, annotations and spec. A resourceVersion in the manifest must be the current one; without one it always replaces.</summary>
    public Task<FeedChangeResult> ReplaceAsync(string name, JsonObject manifest, FeedChangeOptions options, Actor actor, CancellationToken cancellationToken)
    {
        FeedReading reading = reader.Read(Named(manifest, name));
        return Refusal(reading, options, name) is { } refusal
            ? Task.FromResult(refusal)
            : ChangeAsync(name, options, (db, ct) => ReplaceAsync(db, reading, actor, ct), cancellationToken);
    }

    /// <summary>Applies a merge patch (RFC 7396) to the object as it is then; a resourceVersion in the patch must be the current one.</summary>
    public Task<FeedChangeResult> PatchAsync(string name, JsonObject mergePatch, FeedChangeOptions options, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(name, options, async (db, ct) =>
        {
            await store.LockAsync(db, ct);
            if (await store.GetAsync(db, Key(name), ct) is not { } row)
            {
                return new FeedChangeResult.NotFound();
            }
            FeedReading reading = reader.Read(MergePatch.Apply(FeedManifest.ToJson(row, whole: true), mergePatch).AsObject());
            return Refusal(reading, options, name) ?? await ReplaceAsync(db, reading, actor, ct);
        }, cancellationToken);

    /// <summary>Deletes the feed and with it its set; its alerts stay.</summary>
    public Task<FeedChangeResult> DeleteAsync(string name, ResourcePrecondition precondition, FeedChangeOptions options, Actor actor, CancellationToken cancellationToken) =>
        ChangeAsync(name, options, async (db, ct) =>
        {
            ResourceResult result = await store.DeleteAsync(db, Key(name), precondition, ct);
            if (result is ResourceResult.Ok)
            {
                await listings.RemoveAsync(db, name, ct);
            }
            return Result(name, result, new Told<string>());
        }, cancellationToken);

    private async Task<FeedChangeResult> ReplaceAsync(ThreatFeedsContext db, FeedReading reading, Actor actor, CancellationToken cancellationToken)
    {
        ValidManifest manifest = reading.Manifest!;
        var precondition = new ResourcePrecondition(manifest.ResourceVersion, manifest.Uid);
        return await ForeignAsync(db, reading, cancellationToken) ?? await WrittenAsync(db, reading, await store.ReplaceAsync(db, Key(reading.Name), Content(manifest), precondition, cancellationToken), actor, cancellationToken);
    }

    /// <summary>The refusal of headers whose values are another feed's; null when there are none.</summary>
    private static async Task<FeedChangeResult?> ForeignAsync(ThreatFeedsContext db, FeedReading reading, CancellationToken cancellationToken)
    {
        var problems = new List<FeedProblem>();
        IReadOnlyList<HeaderSpec> headers = reading.Manifest!.Feed.Spec.Pull?.Headers ?? [];
        for (int i = 0; i < headers.Count; i++)
        {
            if (headers[i].From is { } from && await HeaderOwners.RefusalAsync(db, reading.Name, from, cancellationToken) is { } refusal)
            {
                problems.Add(new FeedProblem($"spec.pull.http.headers[{i}].valueFrom.{(from.Secret ? "secretKeyRef" : "configMapKeyRef")}.name", ProblemReasons.Invalid,
                    $"Invalid value: \"{from.Name}\": it {refusal}"));
            }
        }
        return problems.Count == 0 ? null : new FeedChangeResult.Invalid(reading.Name, problems);
    }

    private async Task<FeedChangeResult> WrittenAsync(ThreatFeedsContext db, FeedReading reading, ResourceResult result, Actor actor, CancellationToken cancellationToken)
    {
        if (result is ResourceResult.Ok { Changed: true } ok)
        {
            Feed feed = reading.Manifest!.Feed with { Uid = ok.Row.Uid, Generation = ok.Row.Generation };
            await listings.ApplyAsync(db, feed, cancellationToken);
            if (FeedOrigin.AsksForPull(ok.Before is null ? null : StoredFeed.Of(ok.Before).Feed, feed))
            {
                await runs.EnqueueAsync(db, feed, RunTrigger.Change, actor, cancellationToken);
            }
        }
        return Result(reading.Name, result, reading.UnknownFields);
    }

    private async Task<FeedChangeResult> ChangeAsync(
        string name, FeedChangeOptions options, Func<ThreatFeedsContext, CancellationToken, Task<FeedChangeResult>> change, CancellationToken cancellationToken)
    {
        FeedChangeResult result = await WriteConflicts.RetryAsync(async ct =>
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(ct);
            FeedChangeResult outcome = await change(db, ct);
            // Not committed, the transaction is rolled back when disposed.
            if (outcome is FeedChangeResult.Ok && !options.DryRun)
            {
                await transaction.CommitAsync(ct);
            }
            return outcome;
        }, cancellationToken);
        if (result is FeedChangeResult.Ok && !options.DryRun)
        {
            listings.Changed();
            runs.Woken(name);
            FeedChanged?.Invoke(name);
        }
        return result;
    }

    private static FeedChangeResult Result(string name, ResourceResult result, Told<string> unknownFields) => result switch
    {
        ResourceResult.Ok ok => new FeedChangeResult.Ok(ok.Row, unknownFields),
        ResourceResult.AlreadyExists => new FeedChangeResult.AlreadyExists(name),
        ResourceResult.Conflict conflict => new FeedChangeResult.Conflict(conflict.Message),
        _ => new FeedChangeResult.NotFound(),
    };

    private static FeedChangeResult? Refusal(FeedReading reading, FeedChangeOptions options, string? name = null)
    {
        if (options.Strict && reading.UnknownFields.Count > 0)
        {
            return new FeedChangeResult.UnknownFields(reading.UnknownFields);
        }
        if (reading.Problems.Count > 0)
        {
            return new FeedChangeResult.Invalid(reading.Name, reading.Problems);
        }
        return name is not null && reading.Name != name
            ? new FeedChangeResult.Invalid(name, [new FeedProblem("metadata.name", ProblemReasons.Invalid,
                $"Invalid value: \"{reading.Name}\": field is immutable; the name in the URL is {name}")])
            : null;
    }

    private static ResourceContent Content(ValidManifest manifest) => new(manifest.Feed.Labels, manifest.Feed.Annotations, manifest.Spec);

    /// <summary>The name may be left to the URL.</summary>
    private static JsonObject Named(JsonObject manifest, string name)
    {
        if (manifest["metadata"] is not JsonObject metadata || metadata["name"] is not null)
        {
            return manifest;
        }
        JsonObject named = manifest.DeepClone().AsObject();
        named["metadata"]!["name"] = name;
        return named;
    }

    private static ResourceKey Key(string name) => ResourceKey.Cluster(ResourceKind.GlobalThreatFeed, name);
}
