namespace ThreatFeeds.Api.Hosting;

/// <summary>Bytes that many may hold together; each takes through a <see cref="HeldBytes"/> of its own.</summary>
/// <param name="most">Bytes in all.</param>
/// <param name="setting">The key that says how many.</param>
internal abstract class ByteBudget(long most, string setting)
{
    private long _held;

    public long Most => most;

    public string Setting => setting;

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

    /// <summary>Null when there is not so much.</summary>
    public HeldBytes? TryHold(long bytes) => TryTake(bytes) ? new HeldBytes(this, bytes) : null;

    public void Return(long bytes) => Interlocked.Add(ref _held, -bytes);
}

/// <summary>What one holds of a budget, given back at its end however that comes about.</summary>
/// <param name="taken">Bytes that are taken already.</param>
internal sealed class HeldBytes(ByteBudget budget, long taken = 0) : IDisposable
{
    private long _bytes = taken;

    /// <summary>The most that one can ever hold.</summary>
    public long Most => budget.Most;

    /// <exception cref="BudgetFullException">Others hold too much, or it is more than anybody may.</exception>
    public void Take(long bytes)
    {
        if (!budget.TryTake(bytes))
        {
            throw new BudgetFullException(budget.Setting, never: bytes > budget.Most - _bytes);
        }
        _bytes += bytes;
    }

    /// <summary>Gives some of it back before the end.</summary>
    public void Give(long bytes)
    {
        _bytes -= bytes;
        budget.Return(bytes);
    }

    public void Dispose()
    {
        // A page's may be disposed of from two threads.
        budget.Return(Interlocked.Exchange(ref _bytes, 0));
    }
}

/// <summary>All is held that may be held together (503).</summary>
/// <param name="setting">Which setting bounds it.</param>
/// <param name="never">It is more than the whole bound, so that asking again is of no use.</param>
internal sealed class BudgetFullException(string setting, bool never) : Exception($"As many bytes are held as {setting} allows.")
{
    public string Setting => setting;

    public bool Never => never;
}
