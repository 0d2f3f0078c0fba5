using System.Text;
using System.Text.Json.Nodes;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Web.Data;

/// <summary>Takes room in memory for a manifest of so many bytes; null when all pages hold as much as they may together. Disposing gives it back.</summary>
public delegate IDisposable? HoldManifest(long bytes);

/// <summary>
/// Manifests that a page reads and keeps: they have at most <see cref="MostCharacters"/>, and room is taken for what is made of them until the page lets go of it.
/// </summary>
public sealed class ConsoleManifests(FeedCatalog catalog, FeedReader reader, HoldManifest hold)
{
    /// <summary>Characters of a manifest that is pasted or edited. A larger one can be sent to the API, as with kubectl.</summary>
    public const int MostCharacters = 128 << 10;

    private const string Full = "The console's pages hold as many manifests as the server has room for. Try again in a moment.";

    /// <summary>The feed's manifest as its author may edit it (apiVersion, kind, metadata with name, labels and annotations, spec), or null.</summary>
    public async Task<EditableManifest?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (await catalog.FindRowAsync(name, cancellationToken) is not { } row)
        {
            return null;
        }
        long size = Size(row);
        if (size > MostCharacters)
        {
            return new EditableManifest(null, row.Generation, $"The manifest of {name} has more than {MostCharacters:N0} characters, which is more than a page edits. Change it with kubectl or the API.", null);
        }
        return hold(size) is { } held
            ? new EditableManifest(FeedManifest.ToJson(row), row.Generation, null, held)
            : new EditableManifest(null, row.Generation, Full, null);
    }

    /// <summary>The feed's manifest as YAML, or null.</summary>
    public async Task<string?> YamlAsync(string name, CancellationToken cancellationToken)
    {
        if (await catalog.FindRowAsync(name, cancellationToken) is not { } row)
        {
            return null;
        }
        long size = Size(row);
        if (size > MostCharacters)
        {
            return $"# The manifest has more than {MostCharacters:N0} characters, which is more than a page shows. Download it instead.";
        }
        using IDisposable? held = hold(size);
        return held is null ? "# " + Full : FeedManifest.ToYaml(row);
    }

    /// <summary>Reads a pasted manifest (YAML or JSON). The manifest is given whenever the text could be read, even when it has problems.</summary>
    public ManifestReading Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Refused(ProblemReasons.Required, "Paste a manifest first.");
        }
        if (text.Length > MostCharacters)
        {
            return Refused(ProblemReasons.TooLong, $"The manifest has more than {MostCharacters:N0} characters, which is the most that can be pasted. Send it to the API instead, as with kubectl apply.");
        }
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (hold(bytes.Length) is not { } held)
        {
            return Refused(ProblemReasons.Invalid, Full);
        }
        try
        {
            JsonObject manifest = ManifestText.Read(bytes);
            return new ManifestReading(manifest, reader.Read(manifest).Problems, held);
        }
        catch (ManifestException problem)
        {
            held.Dispose();
            return Refused(ProblemReasons.Invalid, problem.Message);
        }
    }

    private static long Size(ResourceRow row) => (long)row.Spec.Length + row.Labels.Length + row.Annotations.Length;

    private static ManifestReading Refused(string reason, string message) => new(null, [new FeedProblem("", reason, message)], null);
}
