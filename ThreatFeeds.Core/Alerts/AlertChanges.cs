using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>What users do to alerts. Touches only the columns that searches leave alone.</summary>
public sealed class AlertChanges(IContextFactory contexts)
{
    /// <summary>A note's longest text, in characters.</summary>
    public const int MaxNote = 4000;

    /// <summary>Raised after a change. Handlers must return at once.</summary>
    public event Action? Changed;

    /// <summary>Why the change cannot be made, in words, or null.</summary>
    public static string? Problem(AlertChange change) =>
        change.State is null && change.Note is null ? "Give state (open, acknowledged or dismissed), note, or both."
        : change.Note is { Length: > MaxNote } ? $"note is longer than {MaxNote} characters."
        : change.Note is { } note && (StorableParameters.Storable(note) != note || note.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')))
            ? "note holds a control character or half a surrogate pair; write text, with line breaks and tabs if you like."
        : null;

    /// <summary>Applies the change to all of the alerts or to none.</summary>
    /// <returns>The ids that do not exist; when there are any, nothing was changed.</returns>
    public async Task<IReadOnlyList<string>> ApplyAsync(IReadOnlyCollection<string> ids, AlertChange change, Actor actor, CancellationToken cancellationToken)
    {
        List<string> unknown = [.. ids.Where(i => !long.TryParse(i, NumberStyles.None, CultureInfo.InvariantCulture, out _))];
        long[] keys = [.. ids.Except(unknown).Select(i => long.Parse(i, CultureInfo.InvariantCulture)).Distinct()];
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (long[] part in keys.Chunk(500))
        {
            List<long> found = await db.Alerts.Where(a => part.Contains(a.Id)).Select(a => a.Id).ToListAsync(cancellationToken);
            unknown.AddRange(part.Except(found).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        }
        if (unknown.Count > 0)
        {
            return unknown;
        }
        foreach (long[] part in keys.Chunk(500))
        {
            if (change.State is { } state)
            {
                await db.Alerts.Where(a => part.Contains(a.Id)).ExecuteUpdateAsync(u => u.SetProperty(a => a.State, state), cancellationToken);
            }
            if (change.Note is { } note)
            {
                await db.Alerts.Where(a => part.Contains(a.Id)).ExecuteUpdateAsync(u => u.SetProperty(a => a.Note, note), cancellationToken);
            }
        }
        await transaction.CommitAsync(cancellationToken);
        Changed?.Invoke();
        return [];
    }
}
