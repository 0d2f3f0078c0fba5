using System.Text;
using ThreatFeeds.Alerts;
using ThreatFeeds.Indicators;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Searching;

/// <summary>Compares records with a snapshot. Not safe for threads; one per step.</summary>
/// <param name="index">What is effective: it says the indicator and the feeds of a hit.</param>
/// <param name="only">When given, only values that it covers too are hits: the entries a look-back is about.</param>
internal sealed class HitFinder(LogSource source, LogReaders readers, IndicatorIndex index, IndicatorIndex? only) : IValueSink
{
    /// <summary>An event time further ahead of its arrival than this is not believed.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private readonly byte[] _name = new byte[1 << 21];
    private readonly List<(string Field, string Value, IndexMatch Match)> _inRecord = [];

    public List<FoundHit> Hits { get; } = [];

    public long Records { get; private set; }

    public void Compare(RawRecord record)
    {
        Records++;
        _inRecord.Clear();
        ILogReader reader = readers.Get(record.Format);
        reader.ReadValues(source.Kind, record.Line.Span, this);
        if (_inRecord.Count == 0)
        {
            return;
        }
        RecordDetails details = reader.ReadDetails(source.Kind, record.Line.Span);
        DateTimeOffset time = details.Time is { } at && at <= record.ArrivedAt + Ahead ? at : record.ArrivedAt;
        byte[] line = record.Line.ToArray();
        foreach ((string field, string value, IndexMatch match) in _inRecord)
        {
            Hits.Add(new FoundHit(source, record.Position, time, field, value, match.Indicator, match.Feeds, details, line));
        }
    }

    void IValueSink.Name(string field, ReadOnlySpan<byte> name)
    {
        if (name.Length > _name.Length - 1024)
        {
            return;
        }
        int length = DomainName.Canonicalize(name, _name);
        ReadOnlySpan<byte> canonical = _name.AsSpan(0, length);
        if ((only is null || only.TryMatchName(canonical, out _)) && index.TryMatchName(canonical, out IndexMatch match))
        {
            Add(field, Encoding.UTF8.GetString(canonical), match);
        }
    }

    void IValueSink.Address(string field, ReadOnlySpan<byte> address)
    {
        if (IpValue.TryParse(address, out IpValue value)
            && (only is null || only.TryMatchAddress(value, out _)) && index.TryMatchAddress(value, out IndexMatch match))
        {
            Add(field, value.ToString(), match);
        }
    }

    /// <summary>The same value in two fields of one record is one hit, of the first field.</summary>
    private void Add(string field, string value, IndexMatch match)
    {
        if (!_inRecord.Exists(h => h.Value == value))
        {
            _inRecord.Add((field, value, match));
        }
    }
}
