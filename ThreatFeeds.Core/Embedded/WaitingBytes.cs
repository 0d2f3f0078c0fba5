namespace ThreatFeeds.Embedded;

/// <summary>Counts the bytes of batches that wait to be written. One batch alone always enters, however long.</summary>
internal sealed class WaitingBytes(long most)
{
    private long _waiting;

    public bool TryEnter(int bytes)
    {
        if (Interlocked.Add(ref _waiting, bytes) is var now && (now <= most || now == bytes))
        {
            return true;
        }
        Leave(bytes);
        return false;
    }

    public void Leave(int bytes) => Interlocked.Add(ref _waiting, -bytes);
}
