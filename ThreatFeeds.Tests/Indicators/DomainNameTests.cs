using System.Globalization;
using System.Text.RegularExpressions;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ThreatFeeds.Indicators;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Indicators;

public sealed class DomainNameTests
{
    [Theory]
    [InlineData("Bad.Example.", "bad.example")]
    [InlineData("r3---sn.example.com", "r3---sn.example.com")]
    [InlineData("xn--a.example", "xn--a.example")]
    [InlineData("_dmarc.example.com", "_dmarc.example.com")]
    [InlineData("faß.de", "xn--fa-hia.de")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData("例え。テスト", "xn--r8jz45g.xn--zckzah")]
    [InlineData("a_b.bücher.example", "a_b.xn--bcher-kva.example")]
    [InlineData("R3---sn.bücher.ex", "r3---sn.xn--bcher-kva.ex")]
    [InlineData("XN--A.bücher.ex.", "xn--a.xn--bcher-kva.ex")]
    [InlineData("xn--fa-hia.BÜCHER。ex。", "xn--fa-hia.xn--bcher-kva.ex")]
    [InlineData("ｗｗｗ．bücher｡ex", "www.xn--bcher-kva.ex")]
    public void A_name_has_one_canonical_form(string text, string expected)
    {
        Assert.True(DomainName.TryCanonicalize(text, out string name));
        Assert.Equal(expected, name);
        var to = new byte[256];
        Assert.Equal(expected, Encoding.ASCII.GetString(to, 0, DomainName.Canonicalize(Encoding.UTF8.GetBytes(text), to)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("localhost")]
    [InlineData("1.2.3.4")]
    [InlineData("-a.example")]
    [InlineData("a-.example")]
    [InlineData("a..example")]
    [InlineData("a b.example")]
    [InlineData("a≯b.example")]
    [InlineData("a.1")]
    public void What_is_no_name_is_refused(string text) => Assert.False(DomainName.TryCanonicalize(text, out _));

    [Fact]
    public void Labels_and_names_have_their_limits()
    {
        Assert.True(DomainName.TryCanonicalize(new string('a', 63) + ".example", out _));
        Assert.False(DomainName.TryCanonicalize(new string('a', 64) + ".example", out _));
        string longest = string.Concat(Enumerable.Repeat(new string('a', 49) + ".", 5)) + "abc";
        Assert.Equal(DomainName.MaxLength, longest.Length);
        Assert.True(DomainName.TryCanonicalize(longest, out _));
        Assert.False(DomainName.TryCanonicalize(longest + "d", out _));
    }

    [Fact]
    public void A_name_in_a_record_meets_the_listed_one_however_each_of_its_labels_is_written()
    {
        // Each label in all the ways it may be written; the first is canonical.
        string[][] labels =
        [
            ["r3---sn", "R3---SN"], ["xn--a", "XN--A"], ["_dmarc", "_DMARC"], ["xn--bcher-kva", "bücher", "BÜCHER", "XN--BCHER-KVA", "bu\u0308cher"],
            ["xn--fa-hia", "faß", "xn--FA-hia"], ["xn--zckzah", "テスト"], ["www", "WWW", "ｗｗｗ"], ["a", "A"],
        ];
        string[] dots = [".", "。", "．", "｡"];
        var name = from parts in Gen.Choose(0, labels.Length - 1).ListOf().Where(l => l.Count is >= 1 and <= 6)
                   from listed in Written(parts)
                   from recorded in Written(parts)
                   select (Canonical: string.Concat(parts.Select(l => labels[l][0] + ".")) + "ex", listed, recorded);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(name.ToArbitrary(), n =>
        {
            Assert.True(DomainName.TryCanonicalize(n.listed, out string canonical), n.listed);
            Assert.Equal(n.Canonical, canonical);
            var to = new byte[1024];
            Assert.Equal(n.Canonical, Encoding.UTF8.GetString(to, 0, DomainName.Canonicalize(Encoding.UTF8.GetBytes(n.recorded), to)));
        }));

        Gen<string> Written(IEnumerable<int> parts) => parts.Append(-1).Aggregate(Gen.Constant(""), (before, l) =>
            from text in before
            from label in l < 0 ? Gen.Elements("ex", "EX", "ex.") : Gen.Elements(labels[l])
            // A dot that is none of ASCII makes the whole name one that is mapped.
            from dot in Gen.Elements(dots)
            select text + label + (l < 0 ? "" : dot));
    }

    [Theory]
    [InlineData("A B.Example", "a b.example")]
    [InlineData("1.2.3.4.", "1.2.3.4")]
    [InlineData("Ü", "Ü")]
    [InlineData(".", "")]
    public void A_value_of_a_record_without_canonical_form_is_lower_cased_as_bytes(string text, string expected)
    {
        var to = new byte[256];
        Assert.Equal(expected, Encoding.UTF8.GetString(to, 0, DomainName.Canonicalize(Encoding.UTF8.GetBytes(text), to)));
    }

    [SharedDataFact]
    public void Unicode_names_map_as_UTS_46_non_transitional_says()
    {
        int mapped = 0;
        var wrong = new List<string>();
        foreach (string line in Encoding.UTF8.GetString(SharedData.Read("vectors/idna-url/IdnaTestV2.txt.gz")).Split('\n'))
        {
            string[] c = line.Split('#')[0].Split(';').Select(x => Unescape(x.Trim())).ToArray();
            if (c.Length < 7 || Ascii.IsValid(c[0]))
            {
                continue;
            }
            string unicode = c[1].Length > 0 ? c[1] : c[0];
            string status = c[4].Length > 0 ? c[4] : c[2];
            string ascii = c[3].Length > 0 ? c[3] : unicode;
            ascii = ascii.TrimEnd('.');
            if (status is not ("" or "[]") || !DomainName.IsCanonical(Encoding.UTF8.GetBytes(ascii)))
            {
                continue;
            }
            mapped++;
            if (!DomainName.TryCanonicalize(c[0], out string name) || name != ascii)
            {
                wrong.Add($"{c[0]} -> {name}, not {ascii}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(mapped > 150, mapped.ToString(CultureInfo.InvariantCulture));
    }

    [SharedDataFact]
    public void Names_that_UTS_46_disallows_are_refused()
    {
        int refused = 0;
        var wrong = new List<string>();
        foreach (string line in Encoding.UTF8.GetString(SharedData.Read("vectors/idna-url/IdnaTestV2.txt.gz")).Split('\n'))
        {
            string[] c = line.Split('#')[0].Split(';').Select(x => Unescape(x.Trim())).ToArray();
            if (c.Length < 7 || Ascii.IsValid(c[0]))
            {
                continue;
            }
            // Hyphen and bidirectional rules (V2, V3, B) are switches of UTS 46 that are off, as registries sell such names.
            string status = c[4].Length > 0 ? c[4] : c[2];
            if (!Regex.IsMatch(status, @"P1|P4|V5|V6|V7|C\d|A4|A3"))
            {
                continue;
            }
            refused++;
            if (DomainName.TryCanonicalize(c[0], out string name))
            {
                wrong.Add($"{c[0]} {status} -> {name}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(refused > 300, refused.ToString(CultureInfo.InvariantCulture));
    }

    private static string Unescape(string text)
    {
        text = Regex.Replace(text, @"\\u([0-9A-Fa-f]{4})", m => ((char)Convert.ToInt32(m.Groups[1].Value, 16)).ToString());
        return Regex.Replace(text, @"\\x\{([0-9A-Fa-f]+)\}", m => char.ConvertFromUtf32(Convert.ToInt32(m.Groups[1].Value, 16)));
    }
}
