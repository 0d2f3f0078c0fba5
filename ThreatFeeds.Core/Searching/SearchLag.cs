using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Searching;

/// <summary>
/// How far the forward search is behind, for each source: the records not yet compared, and how long the oldest of them has waited. Looked at every few seconds,
/// since who reads a gauge cannot wait for a database; while that is away the marks known last go on counting.
/// </summary>
internal sealed class SearchLag : BackgroundService
{
    internal static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly IContextFactory _contexts;
    private readonly ILogStore _logs;
    private readonly TimeProvider _time;
    private readonly ILogger<SearchLag> _logger;
    private readonly Meter _meter = new(Meters.Name);
    private Dictionary<string, Position> _marks = [];
    private volatile IReadOnlyList<SourceLag> _lags = [];

    public SearchLag(IContextFactory contexts, ILogStore logs, TimeProvider time, ILogger<SearchLag> logger)
    {
        _contexts = contexts;
        _logs = logs;
        _time = time;
        _logger = logger;
        _meter.CreateObservableGauge("threatfeeds_search_lag_records", () => _lags.Select(l => new Measurement<long>(l.Records, l.Tag)), description: "Records that the forward search has not compared yet.");
        _meter.CreateObservableGauge("threatfeeds_search_lag", () => _lags.Select(l => new Measurement<double>(l.Waited.TotalSeconds, l.Tag)), "s", "Since the oldest record arrived that the forward search has not compared yet; 0 when there is none.");
    }

    /// <summary>Its own, of which there is one for each process that was put together.</summary>
    internal Meter Meter => _meter;

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        bool told = false;
        while (true)
        {
            try
            {
                await LookAsync(stoppingToken);
                told = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                // An absent value is better than an old one that says all is well.
                _lags = [];
                if (!told)
                {
                    SearchingLog.LagUnknown(_logger, problem);
                    told = true;
                }
            }
            await Task.Delay(LookEvery, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        // Heads before marks, so that what is searched meanwhile does not count as ahead.
        IReadOnlyList<LogSource> sources = _logs.Sources;
        var heads = new List<Position>();
        foreach (LogSource source in sources)
        {
            heads.Add(await _logs.HeadAsync(source, cancellationToken));
        }
        bool known = await TryReadMarksAsync(cancellationToken);
        var lags = new List<SourceLag>();
        for (int i = 0; i < heads.Count; i++)
        {
            if (known || _marks.ContainsKey(sources[i].Id))
            {
                lags.Add(await LagAsync(sources[i], _marks.GetValueOrDefault(sources[i].Id), heads[i], cancellationToken));
            }
        }
        _lags = lags;
    }

    /// <summary>False when the database cannot say; what it said last stays.</summary>
    private async Task<bool> TryReadMarksAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using ThreatFeedsContext db = _contexts.Create();
            _marks = await db.Progress.AsNoTracking().ToDictionaryAsync(p => p.Source, p => new Position(p.MarkSegment, p.MarkOrdinal), cancellationToken);
            return true;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            // The searches need it as well, and say so.
            return false;
        }
    }

    private async Task<SourceLag> LagAsync(LogSource source, Position mark, Position head, CancellationToken cancellationToken)
    {
        long records = head > mark ? (await _logs.CountAsync(source, mark, head, cancellationToken)).Records : 0;
        TimeSpan waited = TimeSpan.Zero;
        if (records > 0)
        {
            await _logs.ReadAsync(source, mark, head, oldest =>
            {
                waited = _time.GetUtcNow() - oldest.ArrivedAt;
                return false;
            }, cancellationToken);
        }
        return new SourceLag(source.Name, records, waited > TimeSpan.Zero ? waited : TimeSpan.Zero);
    }

    private sealed record SourceLag(string Source, long Records, TimeSpan Waited)
    {
        public KeyValuePair<string, object?> Tag => new("source", Source);
    }
}
