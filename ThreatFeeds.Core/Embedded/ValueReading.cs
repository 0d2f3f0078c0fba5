using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Embedded;

/// <summary>Reads the searched values out of records and hands them on in batches. Not safe for threads; one per read.</summary>
internal sealed class ValueReading(LogReaders readers, LogKind kind, int most, Func<ValueBatch, bool> visit) : IValueSink
{
    /// <summary>A batch ends at this many bytes of values, so that long ones do not pile up.</summary>
    private const int MostBytes = 1 << 20;

    private readonly ValueBatch _batch = new();

    /// <summary>False when the visitor wants no more.</summary>
    public bool Take(RawRecord record)
    {
        // Of a format that nobody knows all records are: they wait for the program that does.
        ILogReader reader = readers.Get(record.Format);
        _batch.Begin(record.Position);
        try
        {
            reader.ReadValues(kind, record.Line.Span, this);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            // Whatever it throws at a record it throws at it each time, and those behind it must come.
            _batch.Fail($"The {record.Format} reader cannot read its values ({problem.GetType().Name}).");
        }
        return (_batch.Records < most && _batch.Bytes.Length < MostBytes) || HandOn();
    }

    /// <summary>Hands on what is left at the end of the range.</summary>
    public void End()
    {
        if (_batch.Records > 0)
        {
            HandOn();
        }
    }

    void IValueSink.Name(HitField field, ReadOnlySpan<byte> name) => _batch.Add(field, name);

    void IValueSink.Address(HitField field, ReadOnlySpan<byte> address) => _batch.Add(field, address);

    private bool HandOn()
    {
        bool more = visit(_batch);
        _batch.Clear();
        return more;
    }
}
