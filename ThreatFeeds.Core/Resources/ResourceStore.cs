using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Resources;

/// <summary>
/// One store for all Kubernetes-shaped objects. Writes run inside the caller's transaction and take the lock of the resourceVersion
/// counter first: writers of resources are one behind another, and resourceVersions are committed in their order, which watchers need.
/// </summary>
public sealed class ResourceStore(TimeProvider time)
{
    private long _written;

#pragma warning disable CA1822 // Callers see one store, whatever a member needs of it.
    public async Task<ResourceRow?> GetAsync(ThreatFeedsContext db, ResourceKey key, CancellationToken cancellationToken) =>
        await One(db, key).FirstOrDefaultAsync(cancellationToken);

    /// <summary>All objects of the kind by name.</summary>
    /// <param name="ns">Null for all namespaces.</param>
    public async Task<IReadOnlyList<ResourceRow>> ListAsync(ThreatFeedsContext db, ResourceKind kind, string? ns, CancellationToken cancellationToken) =>
        await db.Resources.AsNoTracking().Where(r => r.Kind == kind.Name && (ns == null || r.Namespace == ns))
            .OrderBy(r => r.Namespace).ThenBy(r => r.Name).ToListAsync(cancellationToken);

    /// <summary>The same of all namespaces, one after another as they are read.</summary>
    public IAsyncEnumerable<ResourceRow> EachAsync(ThreatFeedsContext db, ResourceKind kind) =>
        db.Resources.AsNoTracking().Where(r => r.Kind == kind.Name).OrderBy(r => r.Namespace).ThenBy(r => r.Name).AsAsyncEnumerable();

    /// <summary>The newest resourceVersion: a list read before it holds nothing later.</summary>
    public Task<long> VersionAsync(ThreatFeedsContext db, CancellationToken cancellationToken) =>
        db.ReadAsync(Counters.ResourceVersion, cancellationToken);

    /// <summary>Keeps other writers out until the transaction ends, for a read that a write depends on.</summary>
    public async Task LockAsync(ThreatFeedsContext db, CancellationToken cancellationToken) => _ = await NextVersionAsync(db, cancellationToken);

#pragma warning restore CA1822

    public async Task<ResourceResult> CreateAsync(ThreatFeedsContext db, ResourceKey key, ResourceContent content, CancellationToken cancellationToken)
    {
        long version = await NextVersionAsync(db, cancellationToken);
        if (await One(db, key).AnyAsync(cancellationToken))
        {
            return new ResourceResult.AlreadyExists();
        }
        var row = new ResourceRow
        {
            Kind = key.Kind.Name,
            Namespace = key.Namespace,
            Name = key.Name,
            Uid = Guid.NewGuid(),
            ResourceVersion = version,
            Generation = 1,
            CreatedAt = time.GetUtcNow().UtcDateTime,
            Labels = ResourceDocument.Text(content.Labels),
            Annotations = ResourceDocument.Text(content.Annotations),
            Spec = content.Spec.ToJsonString(),
        };
        db.Resources.Add(row);
        await RecordAsync(db, row, version, "ADDED", cancellationToken);
        db.Entry(row).State = EntityState.Detached;
        return new ResourceResult.Ok(row, Changed: true);
    }

    /// <summary>Replaces labels, annotations and spec; the status stays. Without a resourceVersion in the precondition it always does.</summary>
    public async Task<ResourceResult> ReplaceAsync(
        ThreatFeedsContext db, ResourceKey key, ResourceContent content, ResourcePrecondition precondition, CancellationToken cancellationToken)
    {
        long version = await NextVersionAsync(db, cancellationToken);
        ResourceRow? row = await One(db, key).FirstOrDefaultAsync(cancellationToken);
        if (row is null)
        {
            return new ResourceResult.NotFound();
        }
        if (Broken(row, precondition) is { } conflict)
        {
            return conflict;
        }
        string labels = ResourceDocument.Text(content.Labels);
        string annotations = ResourceDocument.Text(content.Annotations);
        bool specChanged = !JsonNode.DeepEquals(JsonNode.Parse(row.Spec), content.Spec);
        if (!specChanged && row.Labels == labels && row.Annotations == annotations)
        {
            return new ResourceResult.Ok(row, Changed: false);
        }
        ResourceRow before = row.Copy();
        row.Labels = labels;
        row.Annotations = annotations;
        row.Spec = content.Spec.ToJsonString();
        row.Generation += specChanged ? 1 : 0;
        row.ResourceVersion = version;
        await One(db, key).ExecuteUpdateAsync(
            s => s.SetProperty(r => r.Labels, row.Labels).SetProperty(r => r.Annotations, row.Annotations).SetProperty(r => r.Spec, row.Spec)
                .SetProperty(r => r.Generation, row.Generation).SetProperty(r => r.ResourceVersion, version), cancellationToken);
        await RecordAsync(db, row, version, "MODIFIED", cancellationToken);
        return new ResourceResult.Ok(row, Changed: true, before);
    }

    /// <summary>Replaces the status by what <paramref name="change"/> makes of it; the generation stays. Nothing is written when it makes no change.</summary>
    /// <param name="uid">Null for whatever object has the name now.</param>
    public async Task<ResourceResult> UpdateStatusAsync(
        ThreatFeedsContext db, ResourceKey key, Guid? uid, Func<JsonObject, JsonObject> change, CancellationToken cancellationToken)
    {
        long version = await NextVersionAsync(db, cancellationToken);
        ResourceRow? row = await One(db, key).FirstOrDefaultAsync(cancellationToken);
        if (row is null || (uid is not null && row.Uid != uid))
        {
            return new ResourceResult.NotFound();
        }
        JsonObject before = ResourceDocument.Parse(row.Status);
        JsonObject after = change(before.DeepClone().AsObject());
        if (JsonNode.DeepEquals(before, after))
        {
            return new ResourceResult.Ok(row, Changed: false);
        }
        row.Status = after.ToJsonString();
        row.ResourceVersion = version;
        await One(db, key).ExecuteUpdateAsync(
            s => s.SetProperty(r => r.Status, row.Status).SetProperty(r => r.ResourceVersion, version), cancellationToken);
        await RecordAsync(db, row, version, "MODIFIED", cancellationToken);
        return new ResourceResult.Ok(row, Changed: true);
    }

    public async Task<ResourceResult> DeleteAsync(
        ThreatFeedsContext db, ResourceKey key, ResourcePrecondition precondition, CancellationToken cancellationToken)
    {
        long version = await NextVersionAsync(db, cancellationToken);
        ResourceRow? row = await One(db, key).FirstOrDefaultAsync(cancellationToken);
        if (row is null)
        {
            return new ResourceResult.NotFound();
        }
        if (Broken(row, precondition) is { } conflict)
        {
            return conflict;
        }
        await One(db, key).ExecuteDeleteAsync(cancellationToken);
        row.ResourceVersion = version;
        await RecordAsync(db, row, version, "DELETED", cancellationToken);
        return new ResourceResult.Ok(row, Changed: true);
    }

    private static IQueryable<ResourceRow> One(ThreatFeedsContext db, ResourceKey key)
    {
        string kind = key.Kind.Name;
        return db.Resources.AsNoTracking().Where(r => r.Kind == kind && r.Namespace == key.Namespace && r.Name == key.Name);
    }

    private static Task<long> NextVersionAsync(ThreatFeedsContext db, CancellationToken cancellationToken) =>
        db.Database.CurrentTransaction is null
            ? throw new InvalidOperationException("Resources are written inside a transaction.")
            : db.AddAsync(Counters.ResourceVersion, 1, cancellationToken);

    private static ResourceResult.Conflict? Broken(ResourceRow row, ResourcePrecondition precondition)
    {
        if (precondition.Uid is { } uid && uid != row.Uid)
        {
            return new ResourceResult.Conflict($"Precondition failed: UID in precondition: {uid}, UID in object meta: {row.Uid}");
        }
        string current = row.ResourceVersion.ToString(CultureInfo.InvariantCulture);
        return precondition.ResourceVersion is { Length: > 0 } version && version != current
            ? new ResourceResult.Conflict(
                $"the object has been modified; please apply your changes to the latest version and try again (resourceVersion {version} was given, {current} is current)")
            : null;
    }

    /// <summary>What watchers are told of an object. An annotation may hold the whole of it, as the one that kubectl writes for itself.</summary>
    private static ResourceRow Told(ResourceRow row)
    {
        if (!ResourceKind.Of(row.Kind).Confidential)
        {
            return row;
        }
        ResourceRow told = row.Copy();
        told.Annotations = told.Spec = told.Status = "{}";
        return told;
    }

    private async Task RecordAsync(ThreatFeedsContext db, ResourceRow row, long version, string type, CancellationToken cancellationToken)
    {
        var change = new ResourceChangeRow
        {
            ResourceVersion = version,
            Kind = row.Kind,
            Namespace = row.Namespace,
            Name = row.Name,
            Type = type,
            Document = ResourceDocument.ToJson(Told(row)).ToJsonString(),
            At = time.GetUtcNow().UtcDateTime,
        };
        db.ResourceChanges.Add(change);
        await db.SaveChangesAsync(cancellationToken);
        db.Entry(change).State = EntityState.Detached;
        // What is rolled back counts as well: it is looked at a little earlier.
        if (Interlocked.Add(ref _written, change.Document.Length) >= ResourceChangeLog.Step)
        {
            Interlocked.Exchange(ref _written, 0);
            await ResourceChangeLog.BoundBytesAsync(db, cancellationToken);
        }
    }
}
