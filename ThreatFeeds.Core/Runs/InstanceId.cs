namespace ThreatFeeds.Runs;

/// <summary>
/// Who this process is to the others on its database: kept in the data folder, so that a process that starts again knows the runs it left behind as its own.
/// </summary>
public sealed record InstanceId(string Value)
{
    private const string FileName = "instance";

    /// <summary>Reads the folder's id, or makes one. A file that cannot be read as an id is replaced: only the leases of the last start go unrecognised.</summary>
    public static InstanceId Of(string dataDirectory)
    {
        string file = Path.Combine(dataDirectory, FileName);
        if (File.Exists(file) && Guid.TryParseExact(File.ReadAllText(file).Trim(), "N", out Guid known))
        {
            return new InstanceId(known.ToString("N"));
        }
        var made = new InstanceId(Guid.NewGuid().ToString("N"));
        string draft = file + ".new";
        File.WriteAllText(draft, made.Value + "\n");
        File.Move(draft, file, overwrite: true);
        return made;
    }
}
