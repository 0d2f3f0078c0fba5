using System.Text;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Tests.Parsing;

/// <summary>The same bytes again and again, made while they are read, so that a test of memory measures the reader and not its input. Reads end at once, on the reader's thread.</summary>
internal sealed class RepeatingBody(string piece, int times, string before = "", string after = "") : ReadingStream
{
    private readonly byte[] _piece = Encoding.UTF8.GetBytes(piece), _before = Encoding.UTF8.GetBytes(before), _after = Encoding.UTF8.GetBytes(after);
    private int _part, _at;

    /// <summary>Called when all has been read.</summary>
    public Action AtEnd { get; init; } = () => { };

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_part < times + 2)
        {
            byte[] part = _part == 0 ? _before : _part <= times ? _piece : _after;
            int count = Math.Min(buffer.Length, part.Length - _at);
            part.AsMemory(_at, count).CopyTo(buffer);
            _at += count;
            if (_at == part.Length)
            {
                _part++;
                _at = 0;
            }
            if (count > 0)
            {
                return ValueTask.FromResult(count);
            }
        }
        AtEnd();
        return ValueTask.FromResult(0);
    }
}
