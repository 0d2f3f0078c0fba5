using System.Text;

namespace ThreatFeeds.Benchmarks.Sets;

/// <summary>Names about as varied as those of real lists: made of syllables, some below others, under endings that are not equally common. The same for the same seed.</summary>
internal static class GeneratedNames
{
    private static readonly string[] Syllables = [.. from a in "bcdfghjklmnprstvwz" from b in "aeiou" from c in new[] { "", "n", "r", "s", "l" } select $"{a}{b}{c}"];
    private static readonly string[] Below = ["www", "login", "secure", "mail", "account", "update", "cdn", "api", "web", "m"];
    private static readonly string[] Endings = ["com", "com", "com", "com", "net", "org", "info", "ru", "xyz", "top", "online", "co.uk", "com.br", "de", "site", "click", "in", "cn", "pages.dev", "web.app", "duckdns.org"];

    /// <summary>Different names, in no order.</summary>
    public static IEnumerable<string> Make(int count, int seed)
    {
        var random = new Random(seed);
        var made = new HashSet<string>(count, StringComparer.Ordinal);
        var name = new StringBuilder();
        while (made.Count < count)
        {
            name.Clear();
            if (random.Next(5) == 0)
            {
                name.Append(Below[random.Next(Below.Length)]).Append('.');
            }
            for (int i = random.Next(2, 5); i > 0; i--)
            {
                name.Append(Syllables[random.Next(Syllables.Length)]);
            }
            if (random.Next(3) == 0)
            {
                name.Append(random.Next(2) == 0 ? "-" : "").Append(random.Next(10_000));
            }
            name.Append('.').Append(Endings[random.Next(Endings.Length)]);
            if (made.Add(name.ToString()))
            {
                yield return name.ToString();
            }
        }
    }
}
