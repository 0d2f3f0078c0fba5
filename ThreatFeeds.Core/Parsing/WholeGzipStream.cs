using System.IO.Compression;
using System.Security.Cryptography;

namespace ThreatFeeds.Parsing;

/// <summary>
/// Unpacks gzip and throws <see cref="InvalidDataException"/> when the data end early or have something behind them; GZipStream itself takes a body that
/// was cut short for a whole one and leaves out what follows the last member. A last member of our own, with random bytes, is put behind the body: it comes out only when all before it was whole.
/// </summary>
public sealed class WholeGzipStream : Stream
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

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

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

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unzip.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>The body, then the seal's member. Leaves the body open.</summary>
    private sealed class Sequence(Stream body, byte[] after) : Stream
    {
        private int _given = -1;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

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

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
