namespace ThreatFeeds.Api.Hosting;

/// <summary>Bytes that many calls may hold together; each call takes through a <see cref="HeldBytes"/> of its own.</summary>
/// <param name="most">Bytes in all.</param>
internal sealed class BodyBudget(long most)
{
    private long _held;

    public long Most => most;

    /// <summary>Bytes taken now.</summary>
    public long Held => Interlocked.Read(ref _held);

    public bool TryTake(long bytes)
    {
        for (long held = Held; bytes <= most - held;)
        {
            long seen = Interlocked.CompareExchange(ref _held, held + bytes, held);
            if (seen == held)
            {
                return true;
            }
            held = seen;
        }
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _held, -bytes);
}

/// <summary>What one call holds of a budget, given back at its end however that comes about.</summary>
internal sealed class HeldBytes(BodyBudget budget) : IDisposable
{
    private long _bytes;

    /// <summary>The most that one call can ever hold.</summary>
    public long Most => budget.Most;

    /// <exception cref="BodiesFullException">Others hold too much.</exception>
    public void Take(long bytes)
    {
        if (!budget.TryTake(bytes))
        {
            throw new BodiesFullException();
        }
        _bytes += bytes;
    }

    public void Dispose()
    {
        budget.Return(_bytes);
        _bytes = 0;
    }
}

/// <summary>The calls under way hold all that they may together (503): this one may well succeed when asked again.</summary>
internal sealed class BodiesFullException() : Exception("The calls under way hold as many bytes as they may together.");

/// <summary>A body did not come as fast as it must (408).</summary>
internal sealed class BodyTooSlowException() : Exception("The body came too slowly.");
