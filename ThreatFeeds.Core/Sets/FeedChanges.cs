using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Feeds;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>How an operator wants a change made.</summary>
/// <param name="DryRun">Do everything but keep it.</param>
/// <param name="Strict">Refuse unknown fields instead of leaving them out.</param>
public sealed record FeedChangeOptions(bool DryRun = false, bool Strict = false)
{
    public static readonly FeedChangeOptions Default = new();
}

/// <summary>What an operator's change came to.</summary>
public abstract record FeedChangeResult
{
    private FeedChangeResult() { }

    /// <param name="Row">After the change; before it, when deleted.</param>
    /// <param name="LeftOut">Paths of unknown fields that were left out, for a warning.</param>
    public sealed record Ok(ResourceRow Row, IReadOnlyList<string> LeftOut) : FeedChangeResult;

    public sealed record NotFound : FeedChangeResult;

    public sealed record AlreadyExists(string Name) : FeedChangeResult;

    public sealed record Conflict(string Message) : FeedChangeResult;

    /// <param name="Name">The name in the manifest; empty when it has none.</param>
    public sealed record Invalid(string Name, IReadOnlyList<FeedProblem> Problems) : FeedChangeResult;

    /// <summary>The change asked for strictness and has fields nobody knows.</summary>
    public sealed record UnknownFields(IReadOnlyList<string> Paths) : FeedChangeResult;
}

/// <summary>
/// What operators do to feeds: the object and what is listed change in one transaction, so that no search sees one without the other.
/// </summary>
public sealed class FeedChanges(IContextFactory contexts, ResourceStore store, FeedReader reader, Listings listings)
{
    /// <summary>Raised with the feed's name after a change is kept: created, replaced, deleted.</summary>
    public event Action<string>? FeedChanged;

    public Task<FeedChangeResult> CreateAsync(JsonObject manifest, CancellationToken cancellationToken) =>
        CreateAsync(manifest, FeedChangeOptions.Default, cancellationToken);

    public Task<FeedChangeResult> CreateAsync(JsonObject manifest, FeedChangeOptions options, CancellationToken cancellationToken)
    {
        FeedReading reading = reader.Read(manifest);
        return Refusal(reading, options) is { } refusal
            ? Task.FromResult(refusal)
            : ChangeAsync(reading.Name, options, async (db, ct) => await WrittenAsync(db, reading,
                await store.CreateAsync(db, Key(reading.Name), reading.Document!.Content, ct), ct), cancellationToken);
    }

    public Task<FeedChangeResult> ReplaceAsync(string name, JsonObject manifest, CancellationToken cancellationToken) =>
        ReplaceAsync(name, manifest, FeedChangeOptions.Default, cancellationToken);

    /// <summary>Replaces labels, annotations and spec. A resourceVersion in the manifest must be the current one; without one it always replaces.</summary>
    public Task<FeedChangeResult> ReplaceAsync(string name, JsonObject manifest, FeedChangeOptions options, CancellationToken cancellationToken)
    {
        FeedReading reading = reader.Read(Named(manifest, name));
        return Refusal(reading, options, name) is { } refusal
            ? Task.FromResult(refusal)
            : ChangeAsync(name, options, (db, ct) => ReplaceAsync(db, reading, ct), cancellationToken);
    }

    public Task<FeedChangeResult> PatchAsync(string name, JsonObject mergePatch, CancellationToken cancellationToken) =>
        PatchAsync(name, mergePatch, FeedChangeOptions.Default, cancellationToken);

    /// <summary>Applies a merge patch (RFC 7396) to the object as it is then; a resourceVersion in the patch must be the current one.</summary>
    public Task<FeedChangeResult> PatchAsync(string name, JsonObject mergePatch, FeedChangeOptions options, CancellationToken cancellationToken) =>
        ChangeAsync(name, options, async (db, ct) =>
        {
            await store.LockAsync(db, ct);
            if (await store.GetAsync(db, Key(name), ct) is not { } row)
            {
                return new FeedChangeResult.NotFound();
            }
            FeedReading reading = reader.Read(MergePatch.Apply(FeedManifest.ToJson(row, whole: true), mergePatch).AsObject());
            return Refusal(reading, options, name) ?? await ReplaceAsync(db, reading, ct);
        }, cancellationToken);

    public Task<FeedChangeResult> DeleteAsync(string name, ResourcePrecondition precondition, CancellationToken cancellationToken) =>
        DeleteAsync(name, precondition, FeedChangeOptions.Default, cancellationToken);

    /// <summary>Deletes the feed and with it its set; its alerts stay.</summary>
    public Task<FeedChangeResult> DeleteAsync(string name, ResourcePrecondition precondition, FeedChangeOptions options, CancellationToken cancellationToken) =>
        ChangeAsync(name, options, async (db, ct) =>
        {
            ResourceResult result = await store.DeleteAsync(db, Key(name), precondition, ct);
            if (result is ResourceResult.Ok)
            {
                await listings.RemoveAsync(db, name, ct);
            }
            return Result(name, result, []);
        }, cancellationToken);

    private async Task<FeedChangeResult> ReplaceAsync(ThreatFeedsContext db, FeedReading reading, CancellationToken cancellationToken) =>
        await WrittenAsync(db, reading,
            await store.ReplaceAsync(db, Key(reading.Name), reading.Document!.Content, reading.Document.Precondition, cancellationToken), cancellationToken);

    private async Task<FeedChangeResult> WrittenAsync(ThreatFeedsContext db, FeedReading reading, ResourceResult result, CancellationToken cancellationToken)
    {
        if (result is ResourceResult.Ok { Changed: true } ok)
        {
            await listings.ApplyAsync(db, reading.Document!.Feed with { Uid = ok.Row.Uid, Generation = ok.Row.Generation }, cancellationToken);
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
            FeedChanged?.Invoke(name);
        }
        return result;
    }

    private static FeedChangeResult Result(string name, ResourceResult result, IReadOnlyList<string> unknownFields) => result switch
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
