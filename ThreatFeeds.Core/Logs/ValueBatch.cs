using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>A searched value of a record.</summary>
/// <param name="Record">The position of its record.</param>
/// <param name="Offset">Where it begins in <see cref="ValueBatch.Bytes"/>.</param>
/// <param name="Length">In bytes.</param>
public readonly record struct SearchedValue(Position Record, HitField Field, int Offset, int Length);

/// <summary>A record whose values could not all be read.</summary>
/// <param name="Reason">Words for people.</param>
public sealed record UnreadRecord(Position Record, string Reason);

/// <summary>
/// The searched values of records one behind another, as UTF-8, those of one record together and in the order of its fields. Valid only until the next
/// batch is read.
/// </summary>
public sealed class ValueBatch
{
    private byte[] _bytes = new byte[16 << 10];
    private int _length;
    private SearchedValue[] _values = new SearchedValue[256];
    private int _count;
    private readonly List<UnreadRecord> _unread = [];

    /// <summary>Records passed of which a reader could not give all values; those it gave are there.</summary>
    public IReadOnlyList<UnreadRecord> Unread => _unread;

    /// <summary>All values, as they stand in the records.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public ReadOnlySpan<SearchedValue> Values => _values.AsSpan(0, _count);

    /// <summary>Records passed, also those without a value.</summary>
    public int Records { get; private set; }

    /// <summary>The last record passed.</summary>
    public Position Last { get; private set; }

    public ReadOnlySpan<byte> TextOf(in SearchedValue value) => _bytes.AsSpan(value.Offset, value.Length);

    /// <summary>Empties the batch for its next use.</summary>
    public void Clear()
    {
        _length = 0;
        _count = 0;
        Records = 0;
        _unread.Clear();
    }

    /// <summary>A record begins; the values added next are its own.</summary>
    public void Begin(Position record)
    {
        Last = record;
        Records++;
    }

    /// <summary>The record begun last cannot be read to its end.</summary>
    public void Fail(string reason) => _unread.Add(new UnreadRecord(Last, reason));

    /// <summary>Adds a value of the record begun last.</summary>
    public void Add(HitField field, ReadOnlySpan<byte> value)
    {
        if (_bytes.Length - _length < value.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + value.Length));
        }
        if (_count == _values.Length)
        {
            Array.Resize(ref _values, _count * 2);
        }
        value.CopyTo(_bytes.AsSpan(_length));
        _values[_count++] = new SearchedValue(Last, field, _length, value.Length);
        _length += value.Length;
    }
}
