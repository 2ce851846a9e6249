import { countryNames } from '../../../model/country-names.ts'

/*
 * Places that people live in. They also move to tools, languages, versions, models, plans and teams, of which there is no end; so that only what
 * is known for a place is taken for one. Names that a tool is at least as well known by (Phoenix, Java, Aurora) are left out.
 */

const otherCountries =
  'USA|U.S.A.|U.S.|US|America|UK|U.K.|Holland|Turkey|UAE|Korea|Hong Kong|Macau|Czech Republic|Palestine|Bosnia|Trinidad|The Gambia|Congo|DRC'

const regions =
  'Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York State|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington State|West Virginia|Wisconsin|Wyoming|Alberta|British Columbia|Manitoba|New Brunswick|Newfoundland|Nova Scotia|Ontario|Prince Edward Island|Quebec|Québec|Saskatchewan|Yukon|New South Wales|Queensland|South Australia|Tasmania|Victoria|Western Australia|Bavaria|Saxony|Hesse|Brandenburg|Lower Saxony|Thuringia|Tyrol|South Tyrol|Carinthia|Styria|Tuscany|Lombardy|Sicily|Sardinia|Umbria|Piedmont|Puglia|Calabria|Catalonia|Andalusia|Galicia|Asturias|Basque Country|Mallorca|Majorca|Ibiza|Tenerife|Gran Canaria|Madeira|Azores|Algarve|Alentejo|Provence|Brittany|Normandy|Alsace|Corsica|Flanders|Wallonia|Cornwall|Devon|Dorset|Kent|Essex|Sussex|Surrey|Yorkshire|Lancashire|Cumbria|Norfolk|Suffolk|Cotswolds|Crete|Bali|Goa|Kerala|Punjab|Gujarat|Rajasthan|Maharashtra|Karnataka|Tamil Nadu|Bengal|Okinawa|Hokkaido|Kyushu|Transylvania|Siberia|Patagonia|Silicon Valley|Bay Area|Midwest|Long Island|Brooklyn|Queens|Manhattan|Bronx|Staten Island|Lapland|Jutland|Galilee|Zanzibar|Balkans|Caucasus|England|Scotland|Wales|Northern Ireland|Europe|Africa|Asia|South America|Central America|Latin America|Scandinavia|Kurdistan|Crimea'

/** Cities by the part of the world that they are in. */
const cities = [
  // The British Isles
  'London|Manchester|Birmingham|Leeds|Liverpool|Sheffield|Bristol|Newcastle|Nottingham|Leicester|Coventry|Bradford|Brighton|Southampton|Portsmouth|Plymouth|Exeter|Oxford|Cambridge|York|Norwich|Reading|Bath|Cardiff|Swansea|Edinburgh|Glasgow|Aberdeen|Dundee|Inverness|Belfast|Derry|Dublin|Cork|Galway|Limerick|Waterford',
  // Germany, Austria, Switzerland
  'Berlin|Hamburg|Munich|München|Cologne|Köln|Frankfurt|Stuttgart|Düsseldorf|Dusseldorf|Dortmund|Essen|Leipzig|Bremen|Dresden|Hanover|Hannover|Nuremberg|Nürnberg|Duisburg|Bochum|Wuppertal|Bielefeld|Bonn|Münster|Karlsruhe|Mannheim|Augsburg|Wiesbaden|Mainz|Kiel|Lübeck|Rostock|Erfurt|Jena|Kassel|Freiburg|Heidelberg|Tübingen|Ulm|Regensburg|Würzburg|Potsdam|Halle|Magdeburg|Aachen|Göttingen|Konstanz|Darmstadt|Saarbrücken|Vienna|Wien|Graz|Linz|Salzburg|Innsbruck|Klagenfurt|Zurich|Zürich|Geneva|Basel|Bern|Lausanne|Lucerne|Lugano|Winterthur|St. Gallen',
  // France, Benelux
  'Paris|Marseille|Lyon|Toulouse|Nice|Nantes|Strasbourg|Montpellier|Bordeaux|Lille|Rennes|Reims|Grenoble|Dijon|Angers|Toulon|Avignon|Cannes|Annecy|Tours|Brest|Rouen|Brussels|Antwerp|Ghent|Bruges|Liège|Leuven|Namur|Amsterdam|Rotterdam|The Hague|Den Haag|Utrecht|Eindhoven|Groningen|Haarlem|Leiden|Delft|Maastricht|Nijmegen|Arnhem|Tilburg|Breda|Luxembourg City',
  // Spain, Portugal, Italy, Malta
  'Madrid|Barcelona|Valencia|Seville|Sevilla|Zaragoza|Málaga|Malaga|Bilbao|Granada|Alicante|Córdoba|Cordoba|Valladolid|Vigo|Gijón|San Sebastián|San Sebastian|Santander|Pamplona|Salamanca|Palma|Girona|Cádiz|Cadiz|Murcia|Tarragona|Las Palmas|Lisbon|Lisboa|Porto|Braga|Coimbra|Faro|Aveiro|Évora|Evora|Sintra|Cascais|Setúbal|Lagos|Funchal|Guimarães|Leiria|Tomar|Sines|Matosinhos|Rome|Roma|Milan|Milano|Naples|Turin|Torino|Palermo|Genoa|Bologna|Florence|Firenze|Venice|Verona|Padua|Trieste|Bari|Catania|Pisa|Siena|Perugia|Parma|Modena|Bergamo|Cagliari|Trento|Bolzano|Valletta|Sliema',
  // The north and the Baltic
  'Stockholm|Gothenburg|Göteborg|Malmö|Malmo|Uppsala|Lund|Linköping|Umeå|Oslo|Bergen|Trondheim|Stavanger|Tromsø|Copenhagen|Aarhus|Odense|Aalborg|Helsinki|Espoo|Tampere|Turku|Oulu|Reykjavik|Reykjavík|Tallinn|Tartu|Riga|Vilnius|Kaunas',
  // The east and south-east of Europe
  'Warsaw|Krakow|Kraków|Cracow|Wrocław|Wroclaw|Poznań|Poznan|Gdańsk|Gdansk|Łódź|Lodz|Katowice|Lublin|Szczecin|Prague|Brno|Ostrava|Plzeň|Bratislava|Košice|Budapest|Debrecen|Szeged|Bucharest|Cluj|Cluj-Napoca|Timișoara|Timisoara|Iași|Iasi|Brașov|Brasov|Sibiu|Sofia|Plovdiv|Varna|Belgrade|Novi Sad|Zagreb|Split|Rijeka|Zadar|Dubrovnik|Ljubljana|Maribor|Sarajevo|Skopje|Tirana|Pristina|Podgorica|Athens|Thessaloniki|Patras|Heraklion|Nicosia|Limassol|Larnaca|Istanbul|Ankara|Izmir|Antalya|Bursa|Kyiv|Kiev|Lviv|Odesa|Odessa|Kharkiv|Dnipro|Minsk|Chișinău|Chisinau|Moscow|Saint Petersburg|St. Petersburg|St Petersburg|Kazan|Novosibirsk|Yekaterinburg|Tbilisi|Batumi|Yerevan|Baku',
  // North America
  'New York|New York City|NYC|Los Angeles|LA|Chicago|Houston|Philadelphia|San Antonio|San Diego|Dallas|San Jose|Austin|Jacksonville|Fort Worth|Columbus|Charlotte|San Francisco|SF|Indianapolis|Seattle|Denver|Washington|Washington DC|Washington, D.C.|DC|D.C.|Boston|El Paso|Nashville|Detroit|Oklahoma City|Portland|Las Vegas|Memphis|Louisville|Baltimore|Milwaukee|Albuquerque|Tucson|Fresno|Sacramento|Kansas City|Atlanta|Omaha|Colorado Springs|Raleigh|Miami|Oakland|Minneapolis|Tulsa|Tampa|New Orleans|Wichita|Cleveland|Bakersfield|Anaheim|Honolulu|Santa Ana|Riverside|Lexington|Henderson|Cincinnati|Pittsburgh|Anchorage|Greensboro|St. Louis|St Louis|Saint Louis|Orlando|Buffalo|Madison|Durham|Chandler|Scottsdale|Reno|Norfolk|Boise|Richmond|Spokane|Baton Rouge|Tacoma|Des Moines|Salt Lake City|Rochester|Santa Fe|Santa Cruz|Santa Barbara|Santa Monica|Palo Alto|Mountain View|Cupertino|Sunnyvale|Berkeley|Pasadena|Long Beach|Irvine|Boulder|Fort Collins|Ann Arbor|Grand Rapids|Savannah|Charleston|Asheville|Chattanooga|Knoxville|Birmingham|Little Rock|Hartford|New Haven|Providence|Burlington|Albany|Syracuse|Ithaca|Princeton|Newark|Jersey City|Hoboken|Toronto|Montreal|Montréal|Vancouver|Calgary|Edmonton|Ottawa|Winnipeg|Quebec City|Hamilton|Kitchener|Waterloo|London|Halifax|Victoria|Regina|Saskatoon|Kelowna|Mexico City|CDMX|Guadalajara|Monterrey|Puebla|Tijuana|Cancún|Cancun|Mérida|Merida|Oaxaca|Querétaro|Playa del Carmen|Tulum',
  // Central and South America
  'Havana|San Juan|Santo Domingo|Kingston|Nassau|Guatemala City|San Salvador|Tegucigalpa|Managua|Panama City|Bogotá|Bogota|Medellín|Medellin|Cali|Cartagena|Barranquilla|Caracas|Quito|Guayaquil|Cuenca|Cusco|Arequipa|La Paz|Santa Cruz|Cochabamba|Santiago|Valparaíso|Valparaiso|Concepción|Buenos Aires|Rosario|Mendoza|Bariloche|Montevideo|Asunción|Asuncion|São Paulo|Sao Paulo|Rio de Janeiro|Rio|Brasília|Brasilia|Salvador|Fortaleza|Recife|Curitiba|Porto Alegre|Belo Horizonte|Manaus|Florianópolis|Florianopolis|Campinas|Natal|Goiânia',
  // The near and the middle east, Africa
  'Jerusalem|Tel Aviv|Haifa|Ramallah|Beirut|Damascus|Aleppo|Amman|Baghdad|Erbil|Basra|Tehran|Isfahan|Shiraz|Mashhad|Riyadh|Jeddah|Mecca|Medina|Dammam|Dubai|Abu Dhabi|Sharjah|Doha|Kuwait City|Manama|Muscat|Sanaa|Cairo|Alexandria|Giza|Tunis|Algiers|Oran|Casablanca|Rabat|Marrakesh|Marrakech|Fez|Tangier|Agadir|Tripoli|Khartoum|Addis Ababa|Nairobi|Mombasa|Kampala|Kigali|Dar es Salaam|Arusha|Lusaka|Harare|Gaborone|Windhoek|Maputo|Luanda|Kinshasa|Lagos|Abuja|Ibadan|Kano|Port Harcourt|Accra|Kumasi|Abidjan|Dakar|Bamako|Ouagadougou|Douala|Yaoundé|Yaounde|Libreville|Johannesburg|Joburg|Cape Town|Durban|Pretoria|Port Elizabeth|Stellenbosch|Antananarivo|Port Louis',
  // Asia and Oceania
  'Tokyo|Osaka|Kyoto|Yokohama|Nagoya|Sapporo|Fukuoka|Kobe|Hiroshima|Sendai|Nara|Seoul|Busan|Incheon|Daegu|Daejeon|Beijing|Shanghai|Shenzhen|Guangzhou|Chengdu|Hangzhou|Wuhan|Nanjing|Suzhou|Tianjin|Chongqing|Xiamen|Qingdao|Dalian|Kunming|Harbin|Taipei|Kaohsiung|Taichung|Tainan|Hsinchu|Ulaanbaatar|Bangkok|Chiang Mai|Phuket|Hanoi|Ho Chi Minh City|Saigon|Da Nang|Danang|Hoi An|Phnom Penh|Siem Reap|Vientiane|Yangon|Kuala Lumpur|KL|Penang|Johor Bahru|Jakarta|Bandung|Surabaya|Yogyakarta|Ubud|Canggu|Denpasar|Manila|Cebu|Quezon City|Makati|Davao|Mumbai|Bombay|Delhi|New Delhi|Bangalore|Bengaluru|Hyderabad|Chennai|Kolkata|Pune|Ahmedabad|Jaipur|Lucknow|Kochi|Chandigarh|Gurgaon|Gurugram|Noida|Indore|Surat|Nagpur|Mysore|Coimbatore|Karachi|Lahore|Islamabad|Rawalpindi|Faisalabad|Peshawar|Dhaka|Chittagong|Colombo|Kandy|Kathmandu|Pokhara|Thimphu|Kabul|Tashkent|Samarkand|Almaty|Astana|Bishkek|Dushanbe|Sydney|Melbourne|Brisbane|Perth|Adelaide|Canberra|Hobart|Darwin|Gold Coast|Newcastle|Cairns|Geelong|Wollongong|Auckland|Wellington|Christchurch|Dunedin|Queenstown|Hamilton|Suva',
].join('|')

const ways = (names: string) =>
  names
    .replaceAll('.', String.raw`\.`)
    .split('|')
    .toSorted((a, b) => b.length - a.length)
const country = [...countryNames(), ...ways(`${otherCountries}|${regions}`)].join('|')

/** Where the name of a place ends, and goes on as no other name. */
const end = String.raw`(?=$|[.,;!)]|\s[-–—(]|\s(?:with|from|for|in|at|on|near|and|but|so|because|since|as|after|before|where|when|to|last|this|early|late|a|an|the|one|two|three|four|five|six|seven|eight|nine|ten|a few|few|several|some|almost|about|around|over|nearly|\d+|now|again|recently|yesterday|permanently|together|alone|by|during|my|our|i|we|too|also|finally|back)\b)`

/** A place: known by its name, or by the country behind it. */
export const place = String.raw`(?:the )?(?:(?:${ways(cities).join('|')}|${country})${end}|\p{Lu}[\p{L}'’.-]+(?: [\p{Lu}][\p{L}'’.-]+){0,2}, (?:the )?(?:${country})${end})`

const alone = (names: readonly string[]) => new RegExp(String.raw`^(?:the )?(?:${names.join('|')})$`, 'iu')
const isCountryPattern = alone([...countryNames(), ...ways(otherCountries)])
const isRegionPattern = alone(ways(regions))

/** Whether a name is one of a country. */
export function isCountry(name: string): boolean {
  return isCountryPattern.test(name.trim())
}

/** Whether a name is one of a part of a country, or of a continent. */
export function isRegion(name: string): boolean {
  return isRegionPattern.test(name.trim())
}
