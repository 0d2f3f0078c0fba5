using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Indicators;

public sealed class IndicatorIndexTests
{
    [Fact]
    public void A_wildcard_covers_the_name_itself_and_all_below_on_label_boundaries_only()
    {
        IndicatorIndex index = Index(("f", false, ["*.bad.example", "exact.example"]));
        Assert.Equal("*.bad.example", Name(index, "bad.example")?.Indicator);
        Assert.Equal("*.bad.example", Name(index, "a.b.bad.example")?.Indicator);
        Assert.Null(Name(index, "notbad.example"));
        Assert.Null(Name(index, "www.exact.example"));
        Assert.Null(Name(index, "example"));
        Assert.Null(Name(index, ""));
    }

    [Fact]
    public void The_longest_name_is_the_most_specific_and_exact_comes_before_wildcard()
    {
        IndicatorIndex index = Index(("a", false, ["*.bad.example"]), ("b", false, ["*.x.bad.example", "x.bad.example"]), ("c", true, ["bad.example"]));
        IndexMatch match = Name(index, "x.bad.example")!.Value;
        Assert.Equal("x.bad.example", match.Indicator);
        Assert.Equal(["a", "b", "c"], match.Feeds);
        Assert.Equal("*.x.bad.example", Name(index, "y.x.bad.example")!.Value.Indicator);
        Assert.Equal(["a", "c"], Name(index, "z.bad.example")!.Value.Feeds);
        Assert.Equal("bad.example", Name(index, "bad.example")!.Value.Indicator);
    }

    [Fact]
    public void An_entry_has_one_text_whether_it_covers_a_name_itself_or_from_above()
    {
        IndicatorIndex index = Index(("below", true, ["a.example", "*.b.example", "d.example"]), ("exact", false, ["b.example", "c.example", "*.d.example"]), ("wild", false, ["*.c.example"]));
        // One feed's entry that means "it and all below".
        Assert.Equal(["a.example", "a.example"], [Name(index, "a.example")!.Value.Indicator, Name(index, "x.a.example")!.Value.Indicator]);
        // Two entries: one means the name alone and is the more specific there.
        Assert.Equal(["b.example", "*.b.example"], [Name(index, "b.example")!.Value.Indicator, Name(index, "x.b.example")!.Value.Indicator]);
        Assert.Equal(["c.example", "*.c.example"], [Name(index, "c.example")!.Value.Indicator, Name(index, "x.c.example")!.Value.Indicator]);
        // Two that mean the same, listed in two ways.
        Assert.Equal(["d.example", "d.example"], [Name(index, "d.example")!.Value.Indicator, Name(index, "x.d.example")!.Value.Indicator]);
        Assert.Equal(["below", "exact"], Name(index, "x.d.example")!.Value.Feeds);
    }

    [Fact]
    public void The_longest_prefix_is_the_most_specific_and_all_covering_feeds_are_named()
    {
        IndicatorIndex index = Index(
            ("wide", false, ["10.0.0.0/8"]), ("host", false, ["10.1.2.3", "255.255.255.255"]), ("six", false, ["2001:db8::/32"]), ("all", false, ["::/0"]));
        Assert.Equal("10.1.2.3", Address(index, "10.1.2.3")!.Value.Indicator);
        Assert.Equal(["host", "wide"], Address(index, "10.1.2.3")!.Value.Feeds);
        Assert.Equal("10.0.0.0/8", Address(index, "10.255.255.255")!.Value.Indicator);
        Assert.Null(Address(index, "11.0.0.0"));
        Assert.Equal(["all", "six"], Address(index, "2001:db8:ffff::1")!.Value.Feeds);
        Assert.Equal(["all"], Address(index, "2001:db9::")!.Value.Feeds);
        Assert.Equal("255.255.255.255", Address(index, "::ffff:255.255.255.255")!.Value.Indicator);
        Assert.Equal(5, index.Count);
    }

    [Fact]
    public void A_look_up_that_finds_nothing_allocates_nothing()
    {
        IndicatorIndex index = Index(("f", true, ["bad.example", "worse.example.com"]), ("g", false, ["192.0.2.0/24", "2001:db8::/64"]));
        byte[] name = "a.b.good.example.com"u8.ToArray();
        Assert.True(IpValue.TryParse("198.51.100.7"u8, out IpValue v4));
        Assert.True(IpValue.TryParse("2001:db8:1::"u8, out IpValue v6));
        bool any = Look();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            any |= Look();
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.False(any);

        bool Look() => index.TryMatchName(name, out _) | index.TryMatchAddress(v4, out _) | index.TryMatchAddress(v6, out _);
    }

    [Fact]
    public void Names_are_found_as_a_plain_comparison_finds_them()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            string[] labels = ["a", "b", "c", "aa", "com", "x-y"];
            string RandomName() => string.Join('.', Enumerable.Range(0, random.Next(2, 6)).Select(_ => labels[random.Next(labels.Length)]));
            var feeds = Enumerable.Range(0, random.Next(1, 6)).Select(f => (
                Feed: "f" + f, Below: random.Next(3) == 0,
                Names: Enumerable.Range(0, random.Next(0, 20)).Select(_ => (random.Next(3) == 0 ? "*." : "") + RandomName()).ToArray())).ToArray();
            IndicatorIndex index = Index(feeds);
            for (int i = 0; i < 60; i++)
            {
                string name = RandomName();
                var covering = feeds.SelectMany(f => f.Names.SelectMany(n => Covers(n, f.Below, name).Select(text => (f.Feed, Text: text)))).ToArray();
                string? expected = covering.Select(c => c.Text).OrderByDescending(t => t.StartsWith("*.", StringComparison.Ordinal) ? (t.Length - 2) * 2 : t.Length * 2 + 1).FirstOrDefault();
                IndexMatch? match = Name(index, name);
                Assert.True(expected == match?.Indicator, $"seed {seed}: {name}");
                Assert.Equal(covering.Select(c => c.Feed).Distinct().Order(StringComparer.Ordinal), match?.Feeds ?? []);
            }
        }

        static IEnumerable<string> Covers(string listed, bool below, string name)
        {
            bool wildcard = listed.StartsWith("*.", StringComparison.Ordinal);
            string plain = wildcard ? listed[2..] : listed;
            if (plain == name || ((wildcard || below) && name.EndsWith("." + plain, StringComparison.Ordinal)))
            {
                yield return listed;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Many_feeds_with_the_same_entries_cost_what_each_entry_ends_with_and_not_the_way_there(bool addresses)
    {
        var random = new Random(11);
        string[] all = [.. Enumerable.Range(0, 4_000).Select(i => addresses ? $"10.{i / 256}.{i % 256}.0/24" : $"n{i}.bad.example")];
        (string Feed, bool Below, string[] Entries)[] feeds = [.. Enumerable.Range(0, 50).Select(f => ($"f{f:00}", !addresses && f % 5 == 0, all.Where(_ => random.Next(2) == 0).ToArray()))];
        IndexedFeed[] sets = [.. feeds.Select(f => new IndexedFeed(f.Feed, Sets.Of(f.Entries), f.Below))];
        IndicatorIndex.Build(sets);
        long before = GC.GetAllocatedBytesForCurrentThread();
        IndicatorIndex index = IndicatorIndex.Build(sets);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        // Two combinations of some 25 feeds for each entry at most, 4 bytes a feed; every step on the way would be more than 40 MB.
        Assert.True(allocated < 8_000_000, $"{allocated} bytes");
        Assert.Equal(4_000, index.Count);
        for (int i = 0; i < 4_000; i += 37)
        {
            string[] expected = [.. feeds.Where(f => f.Entries.Contains(all[i])).Select(f => f.Feed)];
            IndexMatch match = (addresses ? Address(index, all[i].Replace("0/24", "7", StringComparison.Ordinal)) : Name(index, all[i]))!.Value;
            Assert.Equal(all[i], match.Indicator);
            Assert.Equal(expected, match.Feeds);
            string[] below = [.. feeds.Where(f => f.Below && f.Entries.Contains(all[i])).Select(f => f.Feed)];
            Assert.Equal(below, addresses ? [] : Name(index, "x." + all[i])?.Feeds ?? []);
        }
    }

    [Fact]
    public void Addresses_are_found_as_a_plain_comparison_finds_them()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            IpValue RandomAddress()
            {
                bool v6 = random.Next(2) == 0;
                // Few different bits, so that prefixes nest and touch; both ends of the space.
                UInt128 low = (UInt128)random.Next(64), high = (UInt128)(random.Next(4) - 1 & 3) << (v6 ? 126 : 30);
                UInt128 bits = high | low | (random.Next(4) == 0 ? (v6 ? UInt128.MaxValue : uint.MaxValue) ^ 63 : 0);
                return new IpValue(v6, v6 ? bits : bits & uint.MaxValue);
            }
            var feeds = Enumerable.Range(0, random.Next(1, 6)).Select(f => (
                Feed: "f" + f,
                Prefixes: Enumerable.Range(0, random.Next(0, 20)).Select(_ =>
                {
                    IpValue a = RandomAddress();
                    return IpPrefix.Of(a, random.Next(3) == 0 ? random.Next(a.Width + 1) : a.Width - random.Next(8));
                }).ToArray())).ToArray();
            IndicatorIndex index = Index([.. feeds.Select(f => (f.Feed, false, f.Prefixes.Select(p => p.ToString()).ToArray()))]);
            for (int i = 0; i < 60; i++)
            {
                IpValue address = RandomAddress();
                var covering = feeds.SelectMany(f => f.Prefixes.Where(p => p.Address.IsV6 == address.IsV6 && IpPrefix.Of(address, p.Length) == p)
                    .Select(p => (f.Feed, Prefix: p))).ToArray();
                IndexMatch? match = index.TryMatchAddress(address, out IndexMatch m) ? m : null;
                string? expected = covering.Length == 0 ? null : covering.MaxBy(c => c.Prefix.Length).Prefix.ToString();
                Assert.True(expected == match?.Indicator, $"seed {seed}: {address} {match?.Indicator} {expected}");
                Assert.Equal(covering.Select(c => c.Feed).Distinct().Order(StringComparer.Ordinal), match?.Feeds ?? []);
            }
        }
    }

    private static IndicatorIndex Index(params (string Feed, bool Below, string[] Entries)[] feeds) =>
        IndicatorIndex.Build(feeds.Select(f => new IndexedFeed(f.Feed, Sets.Of(f.Entries), f.Below)));

    private static IndexMatch? Name(IndicatorIndex index, string name) =>
        index.TryMatchName(Encoding.ASCII.GetBytes(name), out IndexMatch match) ? match : null;

    private static IndexMatch? Address(IndicatorIndex index, string text)
    {
        Assert.True(IpValue.TryParse(Encoding.ASCII.GetBytes(text), out IpValue value));
        return index.TryMatchAddress(value, out IndexMatch match) ? match : null;
    }
}

internal static class Sets
{
    /// <summary>A set of these texts; its content is told from the first.</summary>
    public static IndicatorSet Of(params string[] texts)
    {
        ContentKind content = texts.Length > 0 && IndicatorText.TryEncode(ContentKind.IPSet, texts[0], out _) ? ContentKind.IPSet : ContentKind.DomainNameSet;
        var builder = new IndicatorSetBuilder(content);
        foreach (string text in texts)
        {
            Assert.True(IndicatorText.TryEncode(content, text, out byte[] encoded), text);
            builder.Add(encoded);
        }
        return builder.Build();
    }
}
