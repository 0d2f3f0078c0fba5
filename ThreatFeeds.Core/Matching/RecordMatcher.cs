using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Matching;

/// <summary>A value of a record that is listed.</summary>
/// <param name="Field">The first field of the record that holds it.</param>
/// <param name="Value">Canonical.</param>
/// <param name="Indicator">The most specific one that covers the value.</param>
/// <param name="Feeds">Sorted, without repeats.</param>
public readonly record struct ListedValue(HitField Field, string Value, string Indicator, IReadOnlyList<string> Feeds);

/// <summary>
/// Compares the values of one record after another with an index. Pure: knows neither where records come from nor what becomes of hits.
/// Not safe for threads; one per search step.
/// </summary>
/// <param name="index">What is effective: it says the indicator and the feeds of a hit.</param>
/// <param name="only">When given, only values that it covers too are hits: the entries a look-back is about.</param>
public sealed class RecordMatcher(IndicatorIndex index, IndicatorIndex? only = null)
{
    /// <summary>Canonical text may be longer than what is written: labels become their ASCII form.</summary>
    private const int Growth = 1024;

    /// <summary>A set is cleared in the time of the most it ever held; one that held more than this is made anew.</summary>
    private const int KeptRoom = 1000;

    private readonly List<ListedValue> _found = [];
    private HashSet<string> _values = new(StringComparer.Ordinal);
    private byte[] _name = new byte[Growth];

    /// <summary>The listed values of the record looked at; valid until <see cref="Next"/>.</summary>
    public IReadOnlyList<ListedValue> Found => _found;

    /// <summary>Another record begins.</summary>
    public void Next()
    {
        if (_found.Count > KeptRoom)
        {
            _values = new HashSet<string>(StringComparer.Ordinal);
        }
        _found.Clear();
        _values.Clear();
    }

    /// <summary>Looks a value up as its field demands: an address, or a name in any case and perhaps with a trailing dot.</summary>
    public void Look(HitField field, ReadOnlySpan<byte> value)
    {
        if (field is HitField.SourceIp or HitField.DestinationIp)
        {
            LookForAddress(field, value);
        }
        else
        {
            LookForName(field, value);
        }
    }

    private void LookForName(HitField field, ReadOnlySpan<byte> name)
    {
        if (_name.Length < name.Length + Growth)
        {
            _name = new byte[name.Length + Growth];
        }
        int length = DomainName.Canonicalize(name, _name);
        ReadOnlySpan<byte> canonical = _name.AsSpan(0, length);
        if ((only is null || only.TryMatchName(canonical, out _)) && index.TryMatchName(canonical, out IndexMatch match))
        {
            Add(field, Encoding.UTF8.GetString(canonical), match);
        }
    }

    private void LookForAddress(HitField field, ReadOnlySpan<byte> address)
    {
        if (IpValue.TryParse(address, out IpValue value)
            && (only is null || only.TryMatchAddress(value, out _)) && index.TryMatchAddress(value, out IndexMatch match))
        {
            Add(field, value.ToString(), match);
        }
    }

    /// <summary>The same value in two fields of one record is one hit, of the first field.</summary>
    private void Add(HitField field, string value, IndexMatch match)
    {
        if (_values.Add(value))
        {
            _found.Add(new ListedValue(field, value, match.Indicator, match.Feeds));
        }
    }
}
