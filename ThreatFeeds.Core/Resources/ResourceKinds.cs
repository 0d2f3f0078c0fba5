namespace ThreatFeeds.Resources;

/// <summary>A kind of Kubernetes-shaped object.</summary>
/// <param name="HasSpec">False for kinds whose members (data, type...) stand at the top of the object; the row's Spec holds them all the same.</param>
public sealed record ResourceKind(string Name, string ApiVersion, string Plural, bool Namespaced, bool HasSpec)
{
    public static readonly ResourceKind GlobalThreatFeed = new("GlobalThreatFeed", "projectcalico.org/v3", "globalthreatfeeds", Namespaced: false, HasSpec: true);
    public static readonly ResourceKind GlobalNetworkSet = new("GlobalNetworkSet", "projectcalico.org/v3", "globalnetworksets", Namespaced: false, HasSpec: true);
    public static readonly ResourceKind Secret = new("Secret", "v1", "secrets", Namespaced: true, HasSpec: false);
    public static readonly ResourceKind ConfigMap = new("ConfigMap", "v1", "configmaps", Namespaced: true, HasSpec: false);

    public static IReadOnlyList<ResourceKind> All { get; } = [GlobalThreatFeed, GlobalNetworkSet, Secret, ConfigMap];

    /// <summary>What such an object holds stands in the object alone and goes with it: the change log says only that it changed.</summary>
    public bool Confidential => Name == "Secret";

    /// <summary>The group of <see cref="ApiVersion"/>; empty for the core group.</summary>
    public string Group => ApiVersion.Contains('/', StringComparison.Ordinal) ? ApiVersion[..ApiVersion.IndexOf('/', StringComparison.Ordinal)] : "";

    /// <summary>The kind of that name.</summary>
    public static ResourceKind Of(string name) =>
        All.FirstOrDefault(k => k.Name == name) ?? throw new ArgumentException($"'{name}' is no kind of resource.", nameof(name));
}

/// <summary>Which object.</summary>
/// <param name="Namespace">Empty for cluster-scoped kinds.</param>
public readonly record struct ResourceKey(ResourceKind Kind, string Namespace, string Name)
{
    public static ResourceKey Cluster(ResourceKind kind, string name) => new(kind, "", name);
}

/// <summary>What a user may write of an object.</summary>
public sealed record ResourceContent(
    IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations, System.Text.Json.Nodes.JsonObject Spec);

/// <summary>What must still hold for a write; null members are not looked at.</summary>
public sealed record ResourcePrecondition(string? ResourceVersion = null, Guid? Uid = null)
{
    public static readonly ResourcePrecondition None = new();
}
