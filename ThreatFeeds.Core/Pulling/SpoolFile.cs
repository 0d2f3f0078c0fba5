namespace ThreatFeeds.Pulling;

/// <summary>Bytes that all bodies of the spool together may take.</summary>
internal sealed class SpoolRoom(long most)
{
    private long _taken;

    /// <summary>False when there is not so much left.</summary>
    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= most)
        {
            return true;
        }
        GiveBack(bytes);
        return false;
    }

    public void GiveBack(long bytes) => Interlocked.Add(ref _taken, -bytes);
}

/// <summary>A file that is gone, and its room given back, when it is disposed.</summary>
internal sealed class SpoolFile(string path, SpoolRoom room) : IAsyncDisposable
{
    private readonly FileStream _file = new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
    });

    /// <summary>Bytes written.</summary>
    public long Bytes { get; private set; }

    /// <summary>False, and nothing is written, when the spool has no room for them.</summary>
    public async ValueTask<bool> TryWriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!room.TryTake(bytes.Length))
        {
            return false;
        }
        Bytes += bytes.Length;
        await _file.WriteAsync(bytes, cancellationToken);
        return true;
    }

    /// <summary>The file from its beginning.</summary>
    public Stream Rewind()
    {
        _file.Position = 0;
        return _file;
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        room.GiveBack(Bytes);
        Bytes = 0;
    }
}
