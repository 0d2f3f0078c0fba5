using ThreatFeeds.Parsing;

namespace ThreatFeeds.Pulling;

/// <summary>A body as it comes over the wire: counts it, and gives up when it is too long or nothing comes for too long.</summary>
internal sealed class PacedStream(Stream inner, PullingOptions options, TimeProvider time, Uri url) : ReadingStream
{
    private long _total;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // What is there already is read without a look at it, and unpacking may give nothing for long.
        cancellationToken.ThrowIfCancellationRequested();
        using var idle = new CancellationTokenSource(options.IdleTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
        int read;
        try
        {
            read = await inner.ReadAsync(buffer, both.Token);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new FetchException($"{url.Authority} broke off before the whole answer had come: the body is cut short.", e) { BodyUnusable = true };
        }
        catch (OperationCanceledException e) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FetchException($"{url.Authority} stopped sending the body for {options.IdleTimeout.TotalSeconds:0} s (idle time-out).", e);
        }
        _total += read;
        return _total > options.MaxBytes ? throw BodySpool.TooLong(url, options.MaxBytes) : read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
