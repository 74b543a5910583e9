using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Gateway.Intake;

/// <summary>Something wrong in a mapping's file.</summary>
/// <param name="Line">Of the file, from 1.</param>
/// <param name="Column">Of the line, from 1.</param>
/// <param name="Message">A sentence.</param>
public sealed record MappingError(int Line, int Column, string Message)
{
    /// <summary>For a person.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"line {Line}, column {Column}: {Message}");
}

/// <summary>A map of YAML that is read by its keys. What is wrong is told with its line, and what nobody asked for is unknown.</summary>
internal sealed class MappingText
{
    private readonly YamlMappingNode _map;
    private readonly List<MappingError> _errors;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    public MappingText(YamlMappingNode map, List<MappingError> errors) => (_map, _errors) = (map, errors);

    public IEnumerable<(string Key, YamlNode Value)> Entries => _map.Children.Select(c => (((YamlScalarNode)c.Key).Value ?? "", c.Value));

    public bool Has(string key) => Node(key) is not null;

    public YamlNode? Node(string key)
    {
        _asked.Add(key);
        return _map.Children.FirstOrDefault(c => c.Key is YamlScalarNode { Value: { } name } && name == key).Value;
    }

    public void Wrong(YamlNode? at, string message) =>
        _errors.Add(new MappingError((int)((at ?? _map).Start.Line), (int)((at ?? _map).Start.Column), message));

    public string? Text(string key, params string[] allowed)
    {
        var node = Node(key);
        if (node is null)
        {
            return null;
        }
        if (node is not YamlScalarNode { Value: { } text })
        {
            Wrong(node, $"{key} is a text.");
            return null;
        }
        if (allowed.Length > 0 && !allowed.Contains(text))
        {
            Wrong(node, $"{key} is {string.Join(" or ", allowed)}, not '{text}'.");
            return null;
        }
        return text;
    }

    public string Demand(string key)
    {
        if (Text(key) is { Length: > 0 } text)
        {
            return text;
        }
        if (Node(key) is null or YamlScalarNode { Value: "" or null })
        {
            Wrong(Node(key), $"{key} is missing.");
        }
        return "";
    }

    public int Number(string key, int least, int most, int otherwise)
    {
        if (Text(key) is not { } text)
        {
            return otherwise;
        }
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }
        Wrong(Node(key), string.Create(CultureInfo.InvariantCulture, $"{key} is a number from {least} to {most}, not '{text}'."));
        return otherwise;
    }

    public bool Flag(string key) => Text(key, "true", "false") == "true";

    /// <summary>A text, or a list of texts.</summary>
    public IReadOnlyList<string> Texts(string key)
    {
        switch (Node(key))
        {
            case null:
                return [];
            case YamlScalarNode { Value: { } one }:
                return [one];
            case YamlSequenceNode list when list.Children.All(c => c is YamlScalarNode):
                return [.. list.Children.Select(c => ((YamlScalarNode)c).Value ?? "")];
            case var other:
                Wrong(other, $"{key} is a text, or a list of texts.");
                return [];
        }
    }

    public MappingText? Map(string key) => Node(key) is { } node ? Of(node, key) : null;

    public MappingText? Of(YamlNode node, string what)
    {
        if (node is YamlMappingNode map && map.Children.All(c => c.Key is YamlScalarNode))
        {
            return new MappingText(map, _errors);
        }
        Wrong(node, $"{what} is a map of names and values.");
        return null;
    }

    /// <summary>A map, or a list of maps.</summary>
    public IReadOnlyList<MappingText> Maps(string key) => Node(key) switch
    {
        null => [],
        YamlSequenceNode list => [.. list.Children.Select(c => Of(c, $"each of {key}")).OfType<MappingText>()],
        var one => Of(one, key) is { } map ? [map] : [],
    };

    public Source? From(string key) => Text(key) is { } text ? SourceOf(text, Node(key)!, key) : null;

    public Source? SourceOf(string text, YamlNode at, string key)
    {
        var source = Source.Parse(text);
        if (source is null)
        {
            Wrong(at, $"{key} names no place: '{text}'. It is a name, header.NAME, parent.NAME, or 'a constant'.");
        }
        return source;
    }

    /// <summary>Tells of every key that nothing asked for.</summary>
    public void End(string what)
    {
        foreach (var (key, _) in _map.Children)
        {
            if (key is YamlScalarNode { Value: { } name } && !_asked.Contains(name))
            {
                Wrong(key, $"{what} has no '{name}'; it may have {string.Join(", ", _asked.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    /// <returns>The file's map; null with errors when it is none.</returns>
    public static MappingText? Open(string yaml, List<MappingError> errors)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents is [{ RootNode: YamlMappingNode root }])
            {
                if (root.AllNodes.Skip(10_000).Any())
                {
                    errors.Add(new MappingError(1, 1, "It is too large for a mapping."));
                    return null;
                }
                return new MappingText(root, errors);
            }
            errors.Add(new MappingError(1, 1, "A mapping is one map of names and values."));
        }
        catch (YamlException e)
        {
            errors.Add(new MappingError((int)e.Start.Line, (int)e.Start.Column, "It is no YAML: " + e.Message));
        }
        return null;
    }
}
