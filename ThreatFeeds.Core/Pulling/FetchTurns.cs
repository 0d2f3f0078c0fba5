namespace ThreatFeeds.Pulling;

/// <summary>How many bodies are fetched and read at once, pulls and previews together, and for how long each. Turns go to whoever waits longest.</summary>
public sealed class FetchTurns : IDisposable
{
    private readonly SemaphoreSlim _free;
    private readonly PullingOptions _options;
    private readonly TimeProvider _time;

    public FetchTurns(PullingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _free = new SemaphoreSlim(options.MaxFetches);
        _options = options;
        _time = time;
    }

    /// <summary>A turn of a pull, which waits for it as long as it takes.</summary>
    public async Task<FetchTurn> ForPullAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new FetchTurn(_free, _options.PullTimeout, _time, cancellationToken);
    }

    /// <summary>A turn of a preview, behind which somebody waits; null when none becomes free in a moment.</summary>
    public async Task<FetchTurn?> ForPreviewAsync(CancellationToken cancellationToken) => await _free.WaitAsync(_options.PreviewPatience, cancellationToken)
        ? new FetchTurn(_free, _options.PreviewTimeout, _time, cancellationToken)
        : null;

    public void Dispose() => _free.Dispose();
}

/// <summary>Leave to fetch and read one body, given back when disposed.</summary>
public sealed class FetchTurn : IDisposable
{
    private readonly SemaphoreSlim _free;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _limit;
    private readonly CancellationTokenSource _both;

    internal FetchTurn(SemaphoreSlim free, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        _free = free;
        _caller = cancellationToken;
        Limit = limit;
        _limit = new CancellationTokenSource(limit, time);
        _both = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token, cancellationToken);
    }

    /// <summary>How long all of it may take.</summary>
    public TimeSpan Limit { get; }

    /// <summary>Cancelled when the caller's is, and when the time is over.</summary>
    public CancellationToken Token => _both.Token;

    /// <summary>It was the time that ended the work, and not the caller.</summary>
    public bool IsOver => _limit.IsCancellationRequested && !_caller.IsCancellationRequested;

    public void Dispose()
    {
        _both.Dispose();
        _limit.Dispose();
        _free.Release();
    }
}
