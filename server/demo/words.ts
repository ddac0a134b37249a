/** The words that the guests of the demo are made of. Addresses end in `.example`: they can belong to nobody. */

export type Tongue = 'fr' | 'ro' | 'en'

export const womenOf: Record<Tongue, string[]> = {
  fr: words(`Camille Léa Chloé Manon Inès Zoé Élodie Aurélie Émilie Céline Hélène Anaïs Margaux Océane Maëlle Noémie Gaëlle
    Mathilde Clémence Agathe Solène Amélie Sylvie Françoise Geneviève Monique Véronique Béatrice Cécile Laëtitia`),
  ro: words(`Ioana Ștefania Andreea Mălina Crina Raluca Bianca Ruxandra Daniela Mădălina Florența Anca Lăcrămioara
    Simona Irina Corina Oana Alexandra Gabriela`),
  en: words(`Olivia Amelia Isla Charlotte Freya Grace Poppy Evelyn Harriet Imogen Siobhán Eleanor Beatrice Hannah Rosie
    Zoë Megan Chloë Abigail Niamh`),
}

export const menOf: Record<Tongue, string[]> = {
  fr: words(`Louis Hugo Jules Théo Léo Gaspard Étienne Rémi Loïc Benoît François Jérôme Sébastien Frédéric Gérard Aurélien
    Clément Maël Noé Raphaël Grégoire Thibault Stéphane Cédric Joël Yannick Mickaël Olivier Bastien Régis`),
  ro: words(`Andrei Ștefan Mihai Răzvan Vlăduț Ionuț Cătălin Cosmin Dragoș Bogdan Călin Liviu Octavian Rareș Sorin Tudor Silviu
    Petru Adrian Claudiu`),
  en: words(`Oliver Jack Harry George Arthur Alfie Callum Rory Seán Hamish Edward Freddie Toby Ewan Owen Rhys Dylan Alistair
    Theodore Miles`),
}

export const familiesOf: Record<Tongue, string[]> = {
  fr: words(`Martin Bernard Dubois Lefèvre Moreau Laurent Girard Béranger Lévêque Rousseau Chevalier Gauthier Perrin Mercier
    Dufour Blanchet Guérin Boyer Hervé Ménard Faure André Besson Carpentier Lemaître Rivière Brunet Vidal Fontaine Barrère
    Castéra Dupuy Lafitte Labarthe Etcheverry Darrigade Mongélous Saint-Martin Delmas Peyrègne`),
  ro: words(`Popescu Ionescu Popa Dumitrescu Stănescu Rădulescu Georgescu Munteanu Moldoveanu Țurcanu Șerban Bălan Constantinescu
    Drăgan Lungu Nistor Oprea Păun Văduva Crăciun`),
  en: words(`Smith Taylor Hughes Walker Robinson O’Brien Fraser MacDonald Whitfield Ashworth Bennett Carter Ellison Fletcher
    Harding Kingsley Langford Prescott Thornton Winslow`),
}

export const companies = [
  'Château Bellevue',
  'Domaine des Pins',
  'Mairie de Vensac',
  'Camping Les Écureuils',
  'Garage de la Pointe',
  'Cabinet Lafitte & Fils',
  'Hôtel de la Plage',
  'École de surf du Gurp',
  'Pharmacie du Marché',
  'Tonnellerie Barrère',
  'Librairie La Marée',
  'Agence Côte d’Argent',
  'Boulangerie Saint-Pierre',
  'Ostréiculture Delmas',
  'Médoc Immobilier',
  'Notaires de l’Estuaire',
  'Atelier du Phare',
  'Les Vélos de Soulac',
  'Clinique vétérinaire Brémontier',
  'Compagnie des Bacs',
  'Construcții Carpați',
  'Vinăria Dealu Mare',
  'Agenția Bucur',
  'Atlantic Sailing Ltd',
  'Whitfield & Harding',
  'Northern Lights Travel',
]

export const jobTitles: Record<Tongue, string[]> = {
  fr: [
    'Gérante',
    'Directeur commercial',
    'Assistante de direction',
    'Maître de chai',
    'Infirmier',
    'Professeure',
    'Architecte',
    'Comptable',
    'Responsable événementiel',
    'Œnologue',
  ],
  ro: ['Director', 'Inginer', 'Contabilă', 'Profesor', 'Medic', 'Arhitectă', 'Ghid turistic'],
  en: ['Managing director', 'Teacher', 'Travel agent', 'Photographer', 'Accountant', 'Retired', 'Engineer'],
}

export const mailboxes: Record<Tongue, string[]> = {
  fr: ['courriel.example', 'boite-aux-lettres.example', 'poste.example', 'messagerie.example'],
  ro: ['posta.example', 'mesaje.example'],
  en: ['mail.example', 'letterbox.example'],
}

export const tables = ['Terrasse', 'Cheminée', 'Fenêtre sud', 'Salon du meunier', 'Bar', 'Jardin']
export const allergies = ['gluten', 'lactose', 'fruits à coque', 'crustacés', 'œufs']

export const guestNotes = [
  'Préfère la table près de la cheminée.',
  'Vient toujours avec son chien, prévoir une gamelle.',
  'Allergique aux crustacés : prévenir la cuisine.',
  'A demandé la recette du gratin de cèpes.',
  'Fête ses dix ans de mariage au printemps.',
  'Rappeler pour le repas d’équipe de décembre.',
  'Souhaite une facture au nom de la société.',
  'Asked for the wine list in English.',
  'Would like to book the garden for a christening.',
  'Preferă vinul roșu, masa de la fereastră.',
  'A laissé un très bon avis après le brunch.',
  'Personne à mobilité réduite : table de plain-pied.',
]

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean)
}
