using System.Text.RegularExpressions;
using FluentValidation;
using FluentValidation.Results;

namespace ThreatFeeds.Manifests;

/// <summary>Kubernetes' rules for names, labels and annotations.</summary>
internal static partial class KubernetesNames
{
    /// <summary>Shorter than Kubernetes' 253, so that names made from a feed's still fit.</summary>
    public const int MaxFeedName = 200;
    public const int MaxSubdomain = 253;

    public const string SubdomainRule =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com')";

    public static bool IsSubdomain(string name) => Subdomain().IsMatch(name);

    /// <summary>The rule for keys of labels and annotations: an optional prefix that is a subdomain, and a name.</summary>
    public static bool IsQualifiedName(string key)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 || (slash <= MaxSubdomain && IsSubdomain(key[..slash]))) && IsLabelText(key[(slash + 1)..]);
    }

    public static bool IsLabelValue(string value) => value.Length == 0 || IsLabelText(value);

    /// <summary>RFC 9110's tchar.</summary>
    public static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    private static bool IsLabelText(string text) => text.Length <= 63 && LabelText().IsMatch(text);

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.NonBacktracking)]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z", RegexOptions.NonBacktracking)]
    private static partial Regex LabelText();
}

/// <summary>Checks maps of labels and annotations.</summary>
internal static class LabelRules
{
    /// <summary>Characters of all annotations, as in Kubernetes; ours of all labels, too.</summary>
    private const int MaxLength = 256 * 1024;

    /// <summary>Characters of a key or value that are told.</summary>
    private const int Shown = 300;

    public static void Check<T>(IReadOnlyDictionary<string, string> labels, string property, ValidationContext<T> context)
    {
        var problems = new Told<string>();
        foreach ((string key, string value) in labels)
        {
            CheckKey(key, problems);
            if (!KubernetesNames.IsLabelValue(value))
            {
                problems.Add($"Invalid value: \"{ToldText.Cut(value, Shown)}\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, at most 63 characters (label {ToldText.Cut(key, Shown)})");
            }
        }
        Tell(problems, property, context);
        CheckLength(labels, "labels", property, context);
    }

    public static void CheckKeys<T>(IReadOnlyDictionary<string, string> annotations, string property, ValidationContext<T> context)
    {
        var problems = new Told<string>();
        foreach (string key in annotations.Keys)
        {
            // As Kubernetes: annotations are compared in lower case, labels are not.
            CheckKey(key.ToLowerInvariant(), problems);
        }
        Tell(problems, property, context);
        CheckLength(annotations, "annotations", property, context);
    }

    private static void CheckLength<T>(IReadOnlyDictionary<string, string> map, string words, string property, ValidationContext<T> context)
    {
        if (map.Sum(a => (long)a.Key.Length + a.Value.Length) > MaxLength)
        {
            Add(context, property, $"Too long: {words} may not be longer than {MaxLength} characters in all", ProblemReasons.TooLong);
        }
    }

    private static void CheckKey(string key, Told<string> problems)
    {
        if (!KubernetesNames.IsQualifiedName(key))
        {
            problems.Add($"Invalid value: \"{ToldText.Cut(key, Shown)}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, at most 63 characters, with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
        }
    }

    /// <summary>Hands on the first problems, and how many more there are as the state of a failure without words.</summary>
    private static void Tell<T>(Told<string> problems, string property, ValidationContext<T> context)
    {
        foreach (string problem in problems)
        {
            Add(context, property, problem);
        }
        if (problems.More > 0)
        {
            context.AddFailure(new ValidationFailure(context.PropertyChain.BuildPropertyPath(property), "") { CustomState = problems.More });
        }
    }

    private static void Add<T>(ValidationContext<T> context, string property, string message, string reason = ProblemReasons.Invalid) =>
        context.AddFailure(new ValidationFailure(context.PropertyChain.BuildPropertyPath(property), message) { ErrorCode = reason });
}
