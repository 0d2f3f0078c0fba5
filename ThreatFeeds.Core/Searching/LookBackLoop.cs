using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>Does the look-backs of a source until none is left. In one process one at a time for each source: whoever asks meanwhile has it looked at once more.</summary>
public sealed class LookBackLoop(ILogStore logs, LookBackSearch search, SearchHealth health, IContextFactory contexts)
{
    /// <summary>Sources at work; true when somebody asked again.</summary>
    private readonly ConcurrentDictionary<string, bool> _working = new(StringComparer.Ordinal);

    /// <summary>Sources with unfinished look-backs.</summary>
    public async Task<IReadOnlyList<string>> SourcesAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.LookBacks.Select(l => l.Source).Distinct().ToListAsync(cancellationToken);
    }

    /// <summary>Steps until nothing is left. A failure is told on the feeds and thrown; what was done stays, and the next call goes on from there.</summary>
    public async Task RunAsync(string sourceId, CancellationToken cancellationToken)
    {
        if (logs.Sources.FirstOrDefault(s => s.Id == sourceId) is not { } source || !_working.TryAdd(sourceId, false))
        {
            _working.TryUpdate(sourceId, true, false);
            return;
        }
        try
        {
            while (true)
            {
                if (await StepAsync(source, cancellationToken) == StepResult.Idle)
                {
                    search.Rest(sourceId);
                    // Asked again by now or not, in one step: an ask in between would be nobody's.
                    if (_working.TryRemove(new KeyValuePair<string, bool>(sourceId, false)))
                    {
                        return;
                    }
                    _working[sourceId] = false;
                }
            }
        }
        catch
        {
            search.Rest(sourceId);
            _working.TryRemove(sourceId, out _);
            throw;
        }
    }

    private async Task<StepResult> StepAsync(LogSource source, CancellationToken cancellationToken)
    {
        try
        {
            StepResult result = await search.StepAsync(source, cancellationToken);
            await health.SucceededAsync(SearchHealth.LookBack, source, cancellationToken);
            if (result == StepResult.Idle)
            {
                health.Idle();
            }
            return result;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            await health.FailedAsync(SearchHealth.LookBack, source, problem, cancellationToken);
            throw;
        }
    }
}
