using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration.Json;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Which keys there are, and which are nearly ones: a mistyped key must not be silent.</summary>
internal static partial class SettingKeys
{
    /// <summary>Changed letters up to which a section's name is taken for a mistyped one of ours. Further away it may be anybody's.</summary>
    private const int NearSection = 2;

    /// <summary>Letters by which a whole key may differ from a setting to have been meant for it, where its section is another one.</summary>
    private const int NearKey = 3;

    /// <summary>Behind the key of a setting that may hold a password: the file it is in.</summary>
    private const string File = "File";

    public static IReadOnlyList<string> All { get; } = [.. Settings.Classes.SelectMany(Properties).SelectMany(p => IsSecret(p) ? [Of(p), FileOf(p)] : (string[])[Of(p)])];

    private static readonly string[] Secrets = [.. Settings.Classes.SelectMany(Properties).Where(IsSecret).Select(Of)];

    private static readonly string[] OfTheServer = ["Logging", "Kestrel"];

    /// <summary>Begins the names that OpenTelemetry's library reads by itself.</summary>
    private const string OfOpenTelemetry = "OTEL_";

    /// <summary>What may stand in a file of settings beside sections: the server's own, and what editors put there.</summary>
    private static readonly string[] Alone = ["AllowedHosts", "$schema"];

    private static readonly string[] Sections = [.. All.Where(k => k.Contains(':', StringComparison.Ordinal)).Select(SectionOf).Distinct()];

    /// <summary>Sections that are ours and in which there is nothing to set yet, with why.</summary>
    private static readonly Dictionary<string, string> Announced = new(StringComparer.OrdinalIgnoreCase) { ["Elasticsearch"] = "records are kept in the embedded store only" };

    /// <summary>The properties of an options class that can be set.</summary>
    public static IEnumerable<PropertyInfo> Properties(Type options) =>
        options.GetProperties().Where(p => p.IsDefined(typeof(ConfigurationKeyNameAttribute)));

    public static string Of(PropertyInfo property) => property.GetCustomAttribute<ConfigurationKeyNameAttribute>()!.Name;

    /// <summary>Whether its text may hold a password, so that it must neither be shown nor be given on the command line.</summary>
    public static bool IsSecret(PropertyInfo property) => property.GetCustomAttribute<DataTypeAttribute>()?.DataType == DataType.Password;

    /// <summary>The key that names the file of a secret.</summary>
    public static string FileOf(PropertyInfo property) => Of(property) + File;

    /// <summary>
    /// A sentence for each key that nothing reads: of the environment, which is everybody's, those in a section of ours or mistyped for a setting; of a file of
    /// settings, which is ours, all.
    /// </summary>
    public static IEnumerable<string> Unknown(IConfiguration configuration)
    {
        IEnumerable<IConfigurationProvider> files = (configuration as IConfigurationRoot)?.Providers.OfType<JsonConfigurationProvider>() ?? [];
        HashSet<string> written = new(files.SelectMany(f => KeysOf(f, null)), StringComparer.OrdinalIgnoreCase);
        return from pair in configuration.AsEnumerable()
               where pair.Value is not null
               // On the command line somebody may write what only the environment turns into a colon.
               let key = pair.Key.Replace("__", ":", StringComparison.Ordinal)
               where key != pair.Key || !IsKnown(key)
               where written.Contains(pair.Key) ? !IsTheServers(key) && !Alone.Contains(key, StringComparer.OrdinalIgnoreCase) : IsMeantForUs(key)
               select Refusal(pair.Key);
    }

    /// <summary>What is wrong with a key that somebody typed as a setting of ours; null when nothing is. Here nothing foreign can be meant but what the server itself reads.</summary>
    public static string? Problem(string key) => IsKnown(key) || IsTheServers(key) ? null : Refusal(key);

    /// <summary>Why a setting cannot be given on the command line; null when it can.</summary>
    public static string? SecretProblem(string key, string value) =>
        key.EndsWith(":Password", StringComparison.OrdinalIgnoreCase)
            ? $"{key} is a password, and everybody on this machine can read the command line; give it in the environment or in appsettings.json."
            : Secrets.FirstOrDefault(k => k.Equals(key, StringComparison.OrdinalIgnoreCase)) is { } secret && Password().IsMatch(value)
            ? $"{secret} holds a password, and everybody on this machine can read the command line; write it into a file and name that: --set {secret}{File}=FILE."
            : null;

    private static IEnumerable<string> KeysOf(IConfigurationProvider provider, string? parent) =>
        from child in provider.GetChildKeys([], parent).Distinct(StringComparer.OrdinalIgnoreCase)
        let key = parent is null ? child : $"{parent}:{child}"
        from found in KeysOf(provider, key).Prepend(key)
        select found;

    private static bool IsTheServers(string key) => OfTheServer.Any(s => key.StartsWith(s + ":", StringComparison.OrdinalIgnoreCase)) || key.StartsWith(OfOpenTelemetry, StringComparison.OrdinalIgnoreCase);

    private static bool IsMeantForUs(string key)
    {
        if (!key.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }
        string section = SectionOf(key);
        return Announced.ContainsKey(section) || Sections.Contains(section, StringComparer.OrdinalIgnoreCase)
            || (Sections.Any(s => Distance(s, section) <= Near(s)) && All.Any(k => Distance(k, key) <= NearKey));
    }

    private static string Refusal(string key)
    {
        string read = key.Replace("__", ":", StringComparison.Ordinal);
        if (read.Contains(':', StringComparison.Ordinal) && Announced.TryGetValue(SectionOf(read), out string? why))
        {
            return $"{key} is no setting of this version: {why}.";
        }
        string nearest = All.MinBy(k => Distance(k, read))!;
        // What has nothing in common with the nearest was hardly meant for it.
        bool meant = Sections.Any(s => read.StartsWith(s + ":", StringComparison.OrdinalIgnoreCase)) || 2 * Distance(nearest, read) <= read.Length;
        return meant ? $"{key} is no setting; did you mean {nearest}?" : $"{key} is no setting; the README lists those there are.";
    }

    private static bool IsKnown(string key) => All.Any(k => key.Equals(k, StringComparison.OrdinalIgnoreCase)
        || (key.StartsWith(k + ":", StringComparison.OrdinalIgnoreCase) && key[(k.Length + 1)..].All(char.IsAsciiDigit)));

    private static string SectionOf(string key) => key[..key.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>Of a short name two letters are too much of it.</summary>
    private static int Near(string section) => section.Length > 4 ? NearSection : 1;

    /// <summary>Letters to change, add or leave out, whatever their case.</summary>
    private static int Distance(string one, string other)
    {
        int[] row = [.. Enumerable.Range(0, other.Length + 1)];
        for (int i = 1; i <= one.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.Length; j++)
            {
                int change = diagonal + (char.ToUpperInvariant(one[i - 1]) == char.ToUpperInvariant(other[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }

    /// <summary>In a connection string, or before the host of an address.</summary>
    [GeneratedRegex(@"(?:^|;)\s*(?:ssl\s*)?(?:password|pwd|psw)\s*=\s*[^;\s]|//[^/@\s]+@", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Password();
}
