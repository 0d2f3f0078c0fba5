using System.IO.Compression;
using System.Security.Cryptography;

namespace ThreatFeeds.Parsing;

/// <summary>
/// Unpacks gzip and throws <see cref="InvalidDataException"/> when the data end early or have something behind them; GZipStream itself takes a body that
/// was cut short for a whole one and leaves out what follows the last member. A last member of our own, with random bytes, is put behind the body: it comes out only when all before it was whole.
/// </summary>
public sealed class WholeGzipStream : ReadingStream
{
    private const int SealBytes = 16;

    private readonly byte[] _seal = RandomNumberGenerator.GetBytes(SealBytes);
    private readonly GZipStream _unzip;
    private readonly byte[] _held = new byte[SealBytes];
    private byte[] _work = [];
    private int _heldCount;

    public WholeGzipStream(Stream body)
    {
        using var member = new MemoryStream();
        using (var zip = new GZipStream(member, CompressionLevel.Fastest))
        {
            zip.Write(_seal);
        }
        _unzip = new GZipStream(new Sequence(body, member.ToArray()), CompressionMode.Decompress);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }
        if (_work.Length < buffer.Length + SealBytes)
        {
            _work = new byte[buffer.Length + SealBytes];
        }
        while (true)
        {
            // The last bytes seen are held back, since they may be the seal.
            _held.AsSpan(0, _heldCount).CopyTo(_work);
            int read = await _unzip.ReadAsync(_work.AsMemory(_heldCount, buffer.Length), cancellationToken);
            if (read == 0)
            {
                return _heldCount == SealBytes && _held.AsSpan().SequenceEqual(_seal) ? 0 : throw new InvalidDataException("The gzip data are not whole.");
            }
            int total = _heldCount + read;
            int give = Math.Max(0, total - SealBytes);
            _work.AsSpan(0, give).CopyTo(buffer.Span);
            _heldCount = total - give;
            _work.AsSpan(give, _heldCount).CopyTo(_held);
            if (give > 0)
            {
                return give;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unzip.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>The body, then the seal's member. Leaves the body open.</summary>
    private sealed class Sequence(Stream body, byte[] after) : ReadingStream
    {
        private int _given = -1;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_given < 0)
            {
                int read = await body.ReadAsync(buffer, cancellationToken);
                if (read > 0)
                {
                    return read;
                }
                _given = 0;
            }
            int length = Math.Min(buffer.Length, after.Length - _given);
            after.AsSpan(_given, length).CopyTo(buffer.Span);
            _given += length;
            return length;
        }
    }
}
