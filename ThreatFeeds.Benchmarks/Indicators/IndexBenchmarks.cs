using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Indicators;

/// <summary>Look-up of a name that is not listed and of one that is, and building, beside the standard collections.</summary>
[ShortRunJob]
[MemoryDiagnoser]
public class IndexBenchmarks
{
    private const int Lookups = 4096;

    private readonly byte[][] _misses = new byte[Lookups][];
    private readonly byte[][] _hits = new byte[Lookups][];
    private readonly string[] _missTexts = new string[Lookups];
    private string[] _texts = [];
    private byte[][] _encoded = [];
    private IndicatorSet _set = IndicatorSet.Empty(ContentKind.DomainNameSet);
    private IndicatorIndex _index = IndicatorIndex.Build([]);
    private HashSet<string> _peer = [];

    [Params(1_000, 1_000_000)]
    public int Names { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(7);
        _texts = [.. Enumerable.Range(0, Names).Select(i => Name(random, i))];
        _encoded = [.. _texts.Select(Encoding.ASCII.GetBytes)];
        _set = BuildSet();
        _index = BuildIndex();
        _peer = BuildHashSet();
        for (int i = 0; i < Lookups; i++)
        {
            _missTexts[i] = "www." + Name(random, -1 - i);
            _misses[i] = Encoding.ASCII.GetBytes(_missTexts[i]);
            _hits[i] = _encoded[random.Next(Names)];
        }
    }

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int IndexMiss() => _misses.Count(name => _index.TryMatchName(name, out _));

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int IndexHit() => _hits.Count(name => _index.TryMatchName(name, out _));

    [Benchmark(OperationsPerInvoke = Lookups, Baseline = true)]
    public int HashSetMiss() => _missTexts.Count(_peer.Contains);

    [Benchmark]
    public IndicatorSet BuildSet()
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        foreach (byte[] entry in _encoded)
        {
            builder.Add(entry);
        }
        return builder.Build();
    }

    [Benchmark]
    public IndicatorIndex BuildIndex() => IndicatorIndex.Build([new IndexedFeed("feed", _set, false)]);

    [Benchmark]
    public HashSet<string> BuildHashSet() => new(_texts, StringComparer.Ordinal);

    private static string Name(Random random, int i) =>
        string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + random.Next(26))}{random.Next():x}-{i & 0xFFFFFF:x}.example{random.Next(100)}.com");
}
